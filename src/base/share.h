/* base/share.h - how much of a processor a thread takes that others want as well. Nobody waits for
 * background work; so it gives way, and has all that is left over. */
#ifndef BASE_SHARE_H
#define BASE_SHARE_H

#define SHARE_MOST 50 /* percent: as much as the other thread */

/* From now on this thread, and each that it makes, takes `percent` (1 to SHARE_MOST) of a processor
 * for which one ordinary thread of the process competes, and lets that one in at once. About: the
 * steps are a quarter wide, and 1 is 1.5. For good, since going back would take a privilege. */
void share_set(unsigned percent);

#endif
