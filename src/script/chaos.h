/*
 * chaos.h — the faults that blocks of chaos bring, written down in the scenario's text.
 *
 * Which they are is known before the run, by the seed. A text that has them in the place of the
 * block can be made smaller one fault at a time.
 */
#ifndef LZ_SCRIPT_CHAOS_H
#define LZ_SCRIPT_CHAOS_H

#include <stdint.h>

#include "base/str.h"
#include "script/script.h"

/* After a load without trouble: append the scenario's text with each block replaced by what it
   brings with this seed; the same text if it has none. */
void lz_chaos_pin(struct lz_script *s, uint64_t seed, struct lz_str *out);

#endif
