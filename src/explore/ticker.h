/*
 * ticker.h — a beat of processor time for scripts whose instructions are not counted.
 *
 * While it is on, lz_script_tick is called every 25 ms that this process computes. It is a
 * timer of the process and a signal (SIGPROF): not inherited over a fork, stopped with it.
 */
#ifndef LZ_EXPLORE_TICKER_H
#define LZ_EXPLORE_TICKER_H

void lz_ticker_start(void);
void lz_ticker_stop(void);

#endif
