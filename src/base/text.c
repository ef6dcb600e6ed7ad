/* base/text.c - texts that were cut. */
#include "base/text.h"

void text_end_whole(char *text)
{
    size_t size = strlen(text), at = size;

    while (at > 0 && size - at < 3 && ((uint8_t)text[at - 1] & 0xc0) == 0x80)
        at--;
    if (at == 0)
        return;
    uint8_t lead = (uint8_t)text[at - 1];
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (size - at + 1 < length)
        text[at - 1] = '\0';
}
