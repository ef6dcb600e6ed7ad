/* api/shape.h - what a request's body must look like. */
#ifndef API_SHAPE_H
#define API_SHAPE_H

#include "item/json.h"

struct operation;
struct value_node;

#endif
