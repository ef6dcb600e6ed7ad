/* test/fuzz/driver.c - runs a fuzz target on what is in its corpus and on seeded mutations of it.
 *
 *     fuzz-NAME CORPUS [MUTATIONS [SEED]]    CORPUS: a folder, or one file to run again
 *
 * An input that breaks a property is left in ./crash-input. */
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MOST  ((size_t)64 * 1024)
#define INPUTS_MOST 1000
#define CHANGES     4 /* at most, to one input */

static struct buf inputs[INPUTS_MOST];
static size_t input_count;
static struct bytes running; /* for the handler */

/* Only calls that a signal handler may make. */
static void keep_input(int number)
{
    int file = open("crash-input", O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (file >= 0) {
        ssize_t written = write(file, running.data, running.size);
        (void)written;
        close(file);
    }
    signal(number, SIG_DFL);
    raise(number);
}

/* From the heap and of its exact size, so that the address sanitizer sees a byte too far. */
static void run(struct bytes input)
{
    uint8_t *data = malloc(input.size);

    assert(data != NULL || input.size == 0);
    if (input.size > 0)
        memcpy(data, input.data, input.size);
    running = bytes_of(data, input.size);
    LLVMFuzzerTestOneInput(data, input.size);
    free(data);
}

static void load(const char *path)
{
    struct buf *input = &inputs[input_count++];
    FILE *file = fopen(path, "rb");

    assert(file != NULL && input_count < INPUTS_MOST);
    buf_init(input);
    input->size = fread(buf_room(input, INPUT_MOST), 1, INPUT_MOST, file);
    fclose(file);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the order of their names: the same mutations everywhere. */
static void load_folder(const char *path)
{
    char *names[INPUTS_MOST], full[4096];
    size_t count = 0;
    DIR *folder = opendir(path);

    assert(folder != NULL);
    for (struct dirent *entry; count < INPUTS_MOST && (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.')
            names[count++] = strdup(entry->d_name);
    closedir(folder);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        snprintf(full, sizeof full, "%s/%s", path, names[i]);
        load(full);
        free(names[i]);
    }
}

/* Takes out `out` bytes at `at` and puts `in` there. */
static void replace(struct buf *input, size_t at, size_t out, struct bytes in)
{
    struct buf changed;

    if (input->size - out + in.size > INPUT_MOST)
        return;
    buf_init(&changed);
    buf_put(&changed, input->data, at);
    buf_put_bytes(&changed, in);
    buf_put(&changed, input->data + at + out, input->size - at - out);
    buf_release(input);
    *input = changed;
}

static void change(struct buf *input, uint64_t *seed)
{
    static const uint8_t telling[] = {0,   1,   0x7f, 0x80, 0xff, '"',  '\\', '{',
                                      '}', '[', ']',  ',',  ':',  '0',  '9',  '-',
                                      '.', 'e', ' ',  '\n', 0xc2, 0xed, 0xf4};
    const struct buf *other = &inputs[random_next(seed) % input_count];
    size_t at = random_next(seed) % (input->size + 1), left = input->size - at;
    size_t some = left == 0 ? 0 : 1 + random_next(seed) % (left < 16 ? left : 16);
    uint8_t byte = (uint8_t)random_next(seed);

    switch (random_next(seed) % 6) {
    case 0: /* one bit */
        if (left > 0)
            input->data[at] ^= (uint8_t)(1u << byte % 8);
        return;
    case 1: /* one byte, more or less at random */
        byte = byte % 2 == 0 ? byte : telling[byte % sizeof telling];
        replace(input, at, left > 0 && byte % 3 != 0, bytes_of(&byte, 1));
        return;
    case 2: /* a piece out */
        replace(input, at, some, BYTES_NONE);
        return;
    case 3: /* a piece twice */
        replace(input, at, 0, bytes_of(input->data + at, some));
        return;
    case 4: /* cut off */
        replace(input, at, left, BYTES_NONE);
        return;
    default: /* a piece of another input */
        if (other->size == 0)
            return;
        some = random_next(seed) % other->size;
        replace(input, at, left < 8 ? left : random_next(seed) % 8,
                bytes_of(other->data + some, 1 + random_next(seed) % (other->size - some)));
    }
}

static void mutate(size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++) {
        const struct buf *origin = &inputs[random_next(&seed) % input_count];
        struct buf input;
        buf_init(&input);
        buf_put_bytes(&input, buf_bytes(origin));
        for (uint64_t changes = 1 + random_next(&seed) % CHANGES; changes > 0; changes--)
            change(&input, &seed);
        run(buf_bytes(&input));
        buf_release(&input);
    }
}

int main(int argc, char **argv)
{
    size_t mutations = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    struct stat info;

    if (argc < 2 || stat(argv[1], &info) != 0) {
        fprintf(stderr, "usage: %s CORPUS [MUTATIONS [SEED]]\n", argv[0]);
        return 2;
    }
    if (S_ISDIR(info.st_mode))
        load_folder(argv[1]);
    else
        load(argv[1]);
    assert(input_count > 0);
    signal(SIGABRT, keep_input);
    signal(SIGSEGV, keep_input);
    for (size_t i = 0; i < input_count; i++)
        run(buf_bytes(&inputs[i]));
    mutate(mutations, seed);
    printf("%zu inputs and %zu mutations with seed %llu\n", input_count, mutations,
           (unsigned long long)seed);
    for (size_t i = 0; i < input_count; i++)
        buf_release(&inputs[i]);
    return 0;
}
