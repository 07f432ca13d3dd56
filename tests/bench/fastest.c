/* The fastest client for an echo: says prepared bytes, reads until as many as expected are back, and
 * writes the nanoseconds of each round trip.  usage: fastest FD COUNT EXPECTED < REQUESTS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int fd = atoi(argv[1]), count = atoi(argv[2]);
    size_t expected = strtoul(argv[3], NULL, 10);
    static char requests[1 << 22], answer[1 << 16];
    size_t size = fread(requests, 1, sizeof requests, stdin), each = size / count;
    for (int i = 0; i < count; i++) {
        int64_t began = now();
        if (write(fd, requests + i * each, each) != (ssize_t)each) return 1;
        for (size_t got = 0; got < expected;) {
            ssize_t more = read(fd, answer, sizeof answer);
            if (more <= 0) return 1;
            got += more;
        }
        printf("%lld\n", (long long)(now() - began));
    }
    return 0;
}
