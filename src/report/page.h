/*
 * page.h — inside report/: texts that every HTML page carries, made by the build.
 *
 * `page/page.css` is what it looks like and `page/page.js` what it does where scripts may run.
 * uPlot (MIT) draws plots that can be zoomed; a build has it or not (the option `uplot`), and
 * without it these are empty and the page keeps the SVG that it has anyway. Its licence's text goes
 * into the page with it.
 */
#ifndef LZ_REPORT_PAGE_H
#define LZ_REPORT_PAGE_H

extern const char lz_page_style[], lz_page_script[];
extern const char lz_uplot_style[], lz_uplot_script[], lz_uplot_licence[];
extern const char lz_uplot_version[]; /* "1.6.32"; "": not built in */

#endif
