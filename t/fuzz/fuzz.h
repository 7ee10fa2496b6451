/* fuzz: what the targets share: promises, and an input taken apart. */

#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cardfeed/text.h>

/* A promise of a header that is not kept is a crash. */
#define PROMISE(kept)                                                        \
    do {                                                                     \
        if (!(kept)) {                                                       \
            fprintf(stderr, "%s:%d: not kept: %s\n", __FILE__, __LINE__,     \
                #kept);                                                      \
            abort();                                                         \
        }                                                                    \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static inline cardfeed_str_t
fuzz_input(const uint8_t *data, size_t size)
{
    return (cardfeed_str_t){.data = size > 0 ? (const char *) data : "",
        .len = size};
}


/* The first byte of an input, taken off it; 0: there is none. */
static inline unsigned
fuzz_choice(cardfeed_str_t *input, unsigned choices)
{
    unsigned choice = 0;

    if (input->len > 0) {
        choice = (unsigned char) input->data[0] % choices;
        input->data++;
        input->len--;
    }

    return choice;
}


/* Up to a line's end, taken off the input. */
static inline cardfeed_str_t
fuzz_line(cardfeed_str_t *input)
{
    cardfeed_str_t rest = CARDFEED_NO_STR, line = *input;

    if (!cardfeed_str_cut(&line, '\n', &rest)) {
        rest = CARDFEED_NO_STR;
    }
    *input = rest;

    return line;
}


static inline bool
fuzz_utf8(cardfeed_str_t s)
{
    return cardfeed_utf8_check(s) == s.len;
}

#endif /* FUZZ_H */
