/* api/export_description.h - the answer of the operations that describe one export. */
#ifndef API_EXPORT_DESCRIPTION_H
#define API_EXPORT_DESCRIPTION_H

#include "archive/export.h"

/* Appends {"ExportDescription":{...}}. */
void put_export(struct buf *out, const struct export *export, struct arena *arena);

#endif
