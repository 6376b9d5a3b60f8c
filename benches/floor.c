/* The floor of reading many files: opens, reads and closes each file of a list, on two threads; prints the seconds it took. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char **paths;
static long count;
static atomic_long next, bytes;

static void *read_files(void *buffer) {
    for (;;) {
        long first = atomic_fetch_add(&next, 64);
        if (first >= count) return NULL;
        for (long at = first; at < count && at < first + 64; at++) {
            int file = open(paths[at], O_RDONLY);
            if (file < 0) exit(2);
            long size;
            while ((size = read(file, buffer, 1 << 20)) > 0) atomic_fetch_add(&bytes, size);
            close(file);
        }
    }
}

int main(int arguments, char **argument) {
    FILE *list = arguments > 1 ? fopen(argument[1], "r") : NULL;
    char line[4096];
    if (!list) return 2;
    paths = malloc(sizeof(char *) << 24);
    while (fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = 0;
        paths[count++] = strdup(line);
    }
    struct timespec start, end;
    pthread_t thread;
    clock_gettime(CLOCK_MONOTONIC, &start);
    if (pthread_create(&thread, NULL, read_files, malloc(1 << 20))) return 2;
    read_files(malloc(1 << 20));
    pthread_join(thread, NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9;
    printf("{\"first\": %.6f, \"files\": %ld, \"bytes\": %ld}\n", seconds, count, (long)bytes);
    return 0;
}
