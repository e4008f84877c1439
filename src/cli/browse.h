/*
 * browse.h — --open: the page of a run that failed, in a browser.
 */
#ifndef LZ_CLI_BROWSE_H
#define LZ_CLI_BROWSE_H

#include <stdbool.h>

/*
 * Let $BROWSER, else xdg-open, show a file. It is not waited for, and hears and says nothing.
 * False: there is no such program, or nothing to show a page on (neither $BROWSER nor a display is
 * set).
 */
bool lz_browse(const char *path);

#endif
