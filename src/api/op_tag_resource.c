/* api/op_tag_resource.c - TagResource, UntagResource, ListTagsOfResource: a table's tags. The first
 * two answer an empty body, as the service does (dynalite's tagResource tests). All tags are one
 * page, and a NextToken is not looked at: the service does not either (ack-api-quirks,
 * DDB-TABLE-073). */
#include "api/api.h"

static const struct field tag_key = ELEMENT(FIELD_STRING);

const struct field shape_tag_resource[] = {
    REQUIRED("ResourceArn", FIELD_STRING, LEAST(1), MOST(1283)),
    REQUIRED("Tags", FIELD_LIST(element_tag)),
    SHAPE_END,
};
const struct field shape_untag_resource[] = {
    REQUIRED("ResourceArn", FIELD_STRING, LEAST(1), MOST(1283)),
    REQUIRED("TagKeys", FIELD_LIST(tag_key)),
    SHAPE_END,
};
const struct field shape_list_tags_of_resource[] = {
    REQUIRED("ResourceArn", FIELD_STRING, LEAST(1), MOST(1283)),
    OPTIONAL("NextToken", FIELD_STRING),
    SHAPE_END,
};

static bool resource_find(struct request *request, const struct table **table, struct err *err)
{
    struct bytes arn = request_text(request, "ResourceArn"), name;

    if (!resource_name(request, arn, &name, err))
        return false;
    *table = work_find_table(&request->work, name);
    return *table != NULL ||
           err_fail(err, ERR_RESOURCE_NOT_FOUND,
                    "Requested resource not found: ResourceArn: %.*s not found", BYTES_ARGS(arn));
}

static enum run extras_store(struct request *request, const struct table *table,
                             const struct extras *extras, struct err *err)
{
    struct table changed = *table;
    const struct table *updated;

    changed.settings = extras_pack(extras, &request->arena);
    return tables_update(&request->work, table, &changed, &updated, err);
}

enum run op_tag_resource(struct request *request, struct err *err)
{
    const struct value_node *tags = request_member(request, "Tags");
    const struct table *table;
    struct extras extras;

    if (tags->count == 0) {
        err_fail(err, ERR_VALIDATION, "Atleast one Tag needs to be provided as Input.");
        return RUN_FAILED;
    }
    if (!resource_find(request, &table, err))
        return RUN_FAILED;
    extras_read(table->settings, &request->arena, &extras);
    if (!extras_tag(&extras, tags, err))
        return RUN_FAILED;
    return extras_store(request, table, &extras, err);
}

enum run op_untag_resource(struct request *request, struct err *err)
{
    const struct value_node *keys = request_member(request, "TagKeys");
    const struct table *table;
    struct extras extras;

    if (keys->count == 0) {
        err_fail(err, ERR_VALIDATION, "Atleast one Tag Key needs to be provided as Input.");
        return RUN_FAILED;
    }
    if (!resource_find(request, &table, err))
        return RUN_FAILED;
    extras_read(table->settings, &request->arena, &extras);
    if (!extras_untag(&extras, keys, err))
        return RUN_FAILED;
    return extras_store(request, table, &extras, err);
}

enum run op_list_tags_of_resource(struct request *request, struct err *err)
{
    struct buf *out = &request->reply;
    const struct table *table;
    struct extras extras;

    if (!resource_find(request, &table, err))
        return RUN_FAILED;
    extras_read(table->settings, &request->arena, &extras);
    buf_put_literal(out, "{\"Tags\":[");
    for (uint32_t i = 0; i < extras.tag_count; i++) {
        put_comma(out);
        buf_put_literal(out, "{");
        put_text_member(out, "Key", extras.tags[i].key);
        put_text_member(out, "Value", extras.tags[i].value);
        buf_put_literal(out, "}");
    }
    buf_put_literal(out, "]}");
    return RUN_DONE;
}
