/* A program over dskpp.h: the same commands as dskpp.py. HTTP on 127.0.0.1 only, as the tests need it; an app takes the
 * HTTPS of its system. The store is a file in the clear: only a test may do that. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dskpp.h"

typedef struct {
    uint8_t *data;
    size_t len;
} Buffer;

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* Ends the program with the texts of the error. */
static void check(int32_t code, DskppOctets out) {
    if (code == DSKPP_OK) return;
    fprintf(stderr, "%.*s\n", (int)out.len, (const char *)out.ptr);
    dskpp_free_octets(out.ptr, out.len);
    exit(1);
}

static Buffer read_all(FILE *file) {
    Buffer all = {malloc(1 << 20), 0};
    if (file && all.data) all.len = fread(all.data, 1, 1 << 20, file);
    if (file) fclose(file);
    return all;
}

/* Writes beside the file and renames, so that a crash leaves the old or the new one. */
static void keep(const char *path, const uint8_t *data, size_t len) {
    char beside[4096];
    snprintf(beside, sizeof beside, "%s.new", path);
    FILE *file = fopen(beside, "wb");
    if (!file || fwrite(data, 1, len, file) != len || fflush(file) || fsync(fileno(file)) || fclose(file)) fail(beside);
    if (rename(beside, path)) fail(path);
}

/* The text of a field of flat JSON without escapes. */
static char *field(DskppOctets json, const char *name) {
    static char value[4096];
    char text[8192], key[64];
    snprintf(text, sizeof text, "%.*s", (int)json.len, (const char *)json.ptr);
    snprintf(key, sizeof key, "\"%s\":\"", name);
    char *at = strstr(text, key);
    if (!at) return NULL;
    at += strlen(key);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\""), at);
    return value;
}

/* POST to http://127.0.0.1:PORT/PATH; the answer has a NULL if none came. */
static Buffer post(const char *url, DskppOctets body) {
    int port = 0;
    char path[1024] = "", head[2048];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (sscanf(url, "http://127.0.0.1:%d/%1000s", &port, path) != 2) fail(url);
    to.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) return (Buffer){NULL, 0};
    int len = snprintf(head, sizeof head,
                       "POST /%s HTTP/1.0\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/dskpp+xml\r\n"
                       "Content-Length: %zu\r\n\r\n", path, port, body.len);
    if (write(fd, head, (size_t)len) != len || write(fd, body.ptr, body.len) != (ssize_t)body.len) fail("send");
    Buffer answer = read_all(fdopen(fd, "rb"));
    uint8_t *end = memmem(answer.data, answer.len, "\r\n\r\n", 4);
    if (!end) return (Buffer){NULL, 0};
    answer.len -= (size_t)(end + 4 - answer.data);
    memmove(answer.data, end + 4, answer.len);
    return answer;
}

static void enroll(DskppTokens *tokens, const char *store, char **argv) {
    char request[4096], input[256], variant[64] = "", renew[256] = "";
    uint8_t seed[32];
    DskppEnrolment *run = NULL;
    DskppOctets out = {0}, message = {0};
    if (strcmp(argv[2], "-")) snprintf(variant, sizeof variant, ",\"variant\":\"%s\"", argv[2]);
    if (strcmp(argv[3], "-")) snprintf(renew, sizeof renew, ",\"renew\":\"%s\"", argv[3]);
    snprintf(request, sizeof request, "{\"url\":\"%s\",\"code\":\"%s\"%s%s}", argv[0], argv[1], variant, renew);
    if (getrandom(seed, sizeof seed, 0) != sizeof seed) fail("getrandom");
    check(dskpp_enroll(tokens, (uint8_t *)request, strlen(request), seed, &run, &out), out);
    Buffer body = {NULL, 0};
    const char *what = "begin";
    for (;;) {
        snprintf(input, sizeof input, "{\"input\":\"%s\",\"now\":%ld}", what, (long)time(NULL));
        check(dskpp_step(run, (uint8_t *)input, strlen(input), body.data, body.len, &message, &out), out);
        free(body.data);
        body = (Buffer){NULL, 0};
        const char *step = field(out, "step");
        if (!strcmp(step, "send")) {
            body = post(field(out, "url"), message);
            what = body.data ? "answer" : "lost";
        } else if (!strcmp(step, "store")) {
            Buffer current = read_all(fopen(store, "rb"));
            DskppOctets changed = {0};
            check(dskpp_apply(run, current.data, current.len, &changed), changed);
            keep(store, changed.ptr, changed.len);
            dskpp_free_octets(changed.ptr, changed.len);
            free(current.data);
            what = "stored";
        } else if (!strcmp(step, "done")) {
            puts(field(out, "keyId"));
            break;
        } else {
            what = "consent\",\"consent\":false,\"why\":\""; /* nobody is there to ask */
        }
        dskpp_free_octets(message.ptr, message.len);
        dskpp_free_octets(out.ptr, out.len);
    }
    dskpp_free_octets(message.ptr, message.len);
    dskpp_free_octets(out.ptr, out.len);
    dskpp_free_enrolment(run);
}

int main(int argc, char **argv) {
    if (argc < 4) fail("usage: host enroll STORE URL CODE VARIANT RENEW | host otp STORE ID");
    Buffer stored = read_all(fopen(argv[2], "rb"));
    DskppTokens *tokens = NULL;
    DskppOctets out = {0};
    check(dskpp_new(stored.data, stored.len, &tokens, &out), out);
    free(stored.data);
    if (!strcmp(argv[1], "otp")) {
        char input[512];
        snprintf(input, sizeof input, "{\"id\":\"%s\",\"now\":%ld}", argv[3], (long)time(NULL));
        check(dskpp_otp(tokens, (uint8_t *)input, strlen(input), &out), out);
        char code[32];
        snprintf(code, sizeof code, "%s", field(out, "code"));
        dskpp_free_octets(out.ptr, out.len);
        check(dskpp_store(tokens, &out), out);
        keep(argv[2], out.ptr, out.len); /* before the code is shown */
        dskpp_free_octets(out.ptr, out.len);
        puts(code);
    } else if (argc == 7) {
        enroll(tokens, argv[2], argv + 3);
    }
    dskpp_free(tokens);
    return 0;
}
