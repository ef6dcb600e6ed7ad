/* base/share.h - how much of a processor a thread takes that others want as well. Nobody waits for
 * background work; so it gives way, and has all that is left over. */
#ifndef BASE_SHARE_H
#define BASE_SHARE_H

#define SHARE_LEAST                                                                                \
    1 /* percent: only what others leave over, if they leave nothing then next to none */
#define SHARE_MOST 50 /* percent: as much as the other thread */

/* From now on this thread, and each that it makes, takes `percent` (SHARE_LEAST to SHARE_MOST) of a
 * processor for which one ordinary thread of the process competes. About: the steps are a quarter
 * wide. For good, since going back would take a privilege. */
void share_set(unsigned percent);

/* Lets in whoever waits for this thread's processor, who may else wait for the kernel's next tick:
 * to be called every few microseconds by what computes for long, since it looks at the clock and
 * mostly does nothing. Nothing at all in a thread that has no share: what serves requests may
 * call what calls this. */
void share_offer(void);

#endif
