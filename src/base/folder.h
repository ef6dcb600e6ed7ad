/* base/folder.h - folders that outlive a loss of power. */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

#include <sys/types.h>

#include "base/bytes.h"

/* Makes the folder where it is missing, and its name durable in the one above. False: errno says
 * why. Any thread. */
MUST_CHECK bool folder_ensure(const char *path, mode_t mode);

#endif
