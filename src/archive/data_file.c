/* archive/data_file.c - the pipeline of one data file: lines -> deflate -> parts.
 *
 * Lines gather until there is a chunk worth compressing. The compressor writes straight into the
 * buffer of the upload's next part. A part that is full flies: a thread of its own hands it to the
 * store, which hashes and sends it, while the compressor goes on in the other buffer. Parts go in
 * order, so one flies at a time, and whoever has the next one waits for it to land. A thread for
 * each part costs nothing beside 8 MiB, and the files of most exports never fill a part. */
#include "archive/data_file.h"

#include <assert.h>
#include <isa-l.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/large.h"
#include "base/share.h"

/* Text that gathers before it is compressed: large enough that calls cost nothing, small enough to
 * stay in a core's cache, and to be done before anyone who waits for the processor minds. */
#define CHUNK ((size_t)16 * 1024)

struct data_file {
    struct data_file_settings settings;
    struct data_file_figures figures;
    struct upload *upload; /* NULL once completed */
    struct buf lines;
    uint8_t *part; /* UPLOAD_PART bytes */
    size_t part_size;
    bool parts_sent;
    uint8_t *flying; /* the part in flight, as large; NULL until the first */
    bool in_flight, landed_well;
    _Atomic bool landed; /* nobody has to wait for it any more */
    pthread_t flight;
    struct err flight_err;
    struct isal_zstream stream;
    uint8_t level_buffer[ISAL_DEF_LVL2_DEFAULT];
};

/* A gzip member whose header has no time and no name, and OS 255: what ISA-L writes unasked. */
static void stream_begin(struct data_file *file)
{
    isal_deflate_init(&file->stream);
    file->stream.level = 2;
    file->stream.level_buf = file->level_buffer;
    file->stream.level_buf_size = sizeof file->level_buffer;
    file->stream.gzip_flag = IGZIP_GZIP;
    file->stream.flush = NO_FLUSH;
}

static bool upload_begin(const struct data_file_settings *settings, struct upload **upload,
                         struct err *err)
{
    struct job_wait wait;

    job_wait_begin(settings->job, &wait);
    bool ok = settings->store->ops->upload_begin(settings->store, &settings->where,
                                                 &settings->object, upload, err);
    job_wait_end(&wait);
    return ok;
}

struct data_file *data_file_open(const struct data_file_settings *settings, struct err *err)
{
    struct upload *upload;

    if (!upload_begin(settings, &upload, err))
        return NULL;
    struct data_file *file = calloc(1, sizeof *file);
    assert(file != NULL);
    file->settings = *settings;
    file->upload = upload;
    file->landed_well = true;
    file->part = large_new(UPLOAD_PART);
    buf_init(&file->lines);
    stream_begin(file);
    return file;
}

const char *data_file_upload_id(const struct data_file *file)
{
    return file->settings.store->ops->upload_id(file->upload);
}

struct data_file_figures data_file_figures(const struct data_file *file)
{
    return file->figures;
}

static void *fly(void *context)
{
    struct data_file *file = context;

    file->landed_well = file->settings.store->ops->upload_part(
        file->upload, bytes_of(file->flying, UPLOAD_PART), &file->flight_err);
    file->landed = true;
    return NULL;
}

/* False, with err filled, if the last flight or one before it failed. */
static bool land(struct data_file *file, struct err *err)
{
    struct job_wait wait;

    if (file->in_flight) {
        job_wait_begin(file->settings.job, &wait);
        pthread_join(file->flight, NULL);
        job_wait_end(&wait);
    }
    file->in_flight = false;
    if (!file->landed_well)
        *err = file->flight_err;
    return file->landed_well;
}

/* Where the system has no thread left, this one flies it. */
static bool send_full_part(struct data_file *file, struct err *err)
{
    uint8_t *full = file->part;

    if (!land(file, err))
        return false;
    file->part = file->flying != NULL ? file->flying : large_new(UPLOAD_PART);
    file->part_size = 0;
    file->flying = full;
    file->parts_sent = true;
    file->landed = false;
    file->in_flight = pthread_create(&file->flight, NULL, fly, file) == 0;
    if (!file->in_flight)
        fly(file);
    return true;
}

/* More than all but the strangest items and their changes come to, compressed. */
#define ROOM_LEAST ((size_t)1024 * 1024)

bool data_file_waits(const struct data_file *file)
{
    return file->in_flight && !file->landed && UPLOAD_PART - file->part_size < ROOM_LEAST;
}

bool data_file_wait(struct data_file *file, struct err *err)
{
    return land(file, err);
}

/* Waits for the store may be long: what they do not need is given back before. */
static void part_free(uint8_t **part)
{
    large_free(*part);
    *part = NULL;
}

/* Also an empty one, where there is no other. */
static bool send_last_part(struct data_file *file, struct err *err)
{
    struct job_wait wait;

    if (!land(file, err))
        return false;
    part_free(&file->flying);
    if (file->part_size == 0 && file->parts_sent)
        return true;
    job_wait_begin(file->settings.job, &wait);
    bool ok = file->settings.store->ops->upload_part(file->upload,
                                                     bytes_of(file->part, file->part_size), err);
    job_wait_end(&wait);
    return ok;
}

/* One call of the compressor, into what room the part has. */
static void deflate_some(struct data_file *file)
{
    size_t room = UPLOAD_PART - file->part_size;

    file->stream.next_out = file->part + file->part_size;
    file->stream.avail_out = (uint32_t)room;
    int outcome = isal_deflate(&file->stream);
    assert(outcome == COMP_OK);

    size_t made = room - file->stream.avail_out;
    file->part_size += made;
    file->figures.file_bytes += made;
}

/* Compresses the lines that have gathered; with `last` everything the compressor still holds. */
static bool compress_lines(struct data_file *file, bool last, struct err *err)
{
    share_offer();
    file->stream.next_in = file->lines.data;
    file->stream.avail_in = (uint32_t)file->lines.size;
    file->stream.end_of_stream = last;
    for (;;) {
        deflate_some(file);
        if (file->stream.avail_out > 0)
            break;
        if (!send_full_part(file, err))
            return false;
    }
    assert(file->stream.avail_in == 0);
    assert(!last || file->stream.internal_state.state == ZSTATE_END);
    buf_clear(&file->lines);
    return true;
}

/* Counts the line that was put behind `before`. */
static bool line_done(struct data_file *file, size_t before, uint64_t item_bytes, struct err *err)
{
    file->figures.items++;
    file->figures.item_bytes += item_bytes;
    file->figures.text_bytes += file->lines.size - before;
    return file->lines.size < CHUNK || compress_lines(file, false, err);
}

bool data_file_put_item(struct data_file *file, struct bytes item, struct err *err)
{
    size_t before = file->lines.size;
    uint64_t item_bytes = line_put_item(&file->settings.form, item, &file->lines);

    return line_done(file, before, item_bytes, err);
}

bool data_file_put_change(struct data_file *file, const struct line_change *change, struct err *err)
{
    size_t before = file->lines.size;
    uint64_t item_bytes = line_put_change(&file->settings.form, change, &file->lines);

    return line_done(file, before, item_bytes, err);
}

bool data_file_finish(struct data_file *file, struct data_file_result *out, struct err *err)
{
    struct job_wait wait;

    if (!compress_lines(file, true, err) || !send_last_part(file, err))
        return false;
    struct upload *upload = file->upload;
    file->upload = NULL;
    part_free(&file->part);
    job_wait_begin(file->settings.job, &wait);
    bool ok = file->settings.store->ops->upload_complete(upload, &out->sums, err);
    job_wait_end(&wait);
    if (ok)
        out->figures = file->figures;
    return ok;
}

void data_file_close(struct data_file *file)
{
    struct job_wait wait;
    struct err ignored;

    if (file == NULL)
        return;
    land(file, &ignored);
    part_free(&file->flying);
    part_free(&file->part);
    if (file->upload != NULL) {
        job_wait_begin(file->settings.job, &wait);
        file->settings.store->ops->upload_abort(file->upload);
        job_wait_end(&wait);
    }
    buf_release(&file->lines);
    free(file);
}
