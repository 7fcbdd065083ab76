
/*
 * kzload, the load generator of the bench: what its files share.
 *
 *     kzload.c         options, the table of sub-commands
 *     kzload_meter.c   clock, latency histogram, CPU time of this process
 *                      and of the servers, the report
 *     kzload_net.c     loopback sockets, text templates with a counter
 *     kzload_http.c    http
 *     kzload_open.c    http-open
 *     kzload_ws.c      WebSocket codec and connection, ws-rtt
 *     kzload_fan.c     ws-fanout
 *     kzload_floor.c   floor, fdatasync: what the kernel alone costs
 *
 * One thread, one epoll set.  Everything is bounded in time.  A failure to
 * set up (no memory, no descriptor, nobody listens) ends the program with
 * one line on stderr and exit code 1: there is nothing to clean up that the
 * kernel would not.
 */


#ifndef _KZLOAD_H_INCLUDED_
#define _KZLOAD_H_INCLUDED_


#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>


#define KZ_MAX_PIDS      16
#define KZ_MAX_HEADERS   16
#define KZ_MAX_EVENTS    1024

#define KZ_SEC           1000000000ULL    /* the clock counts nanoseconds */


typedef struct {
    const char  *host;                    /* an IPv4 address, loopback */
    int          port;
    int          connections;
    int          window;                  /* in flight, per connection */
    int          subscribers;
    int          frames;                  /* floor: frames per writev */
    int          size;                    /* bytes of a floor frame */
    int          json;
    uint64_t     count;                   /* 0: until the duration ends */
    double       duration;
    double       warmup;
    double       rate;                    /* per second, when paced */
    double       then;                    /* open: the rate afterwards */
    const char  *method;
    const char  *path;
    const char  *body;
    const char  *body_lines;              /* file: one body per line */
    const char  *requests;                /* file: METHOD PATH [BODY] */
    const char  *query;
    const char  *subscribe;
    const char  *publish;
    const char  *dir;
    const char  *headers[KZ_MAX_HEADERS];
    int          nheaders;
    pid_t        pids[KZ_MAX_PIDS];       /* servers to be measured */
    int          npids;
} kz_opt_t;


/*
 * Latencies in nanoseconds, in buckets 1/64 of a power of two wide: any
 * quantile is right within 1.6 %.
 */

#define KZ_HIST_SUB      64
#define KZ_HIST_BUCKETS  (KZ_HIST_SUB * 60)

typedef struct {
    uint64_t     count[KZ_HIST_BUCKETS];
    uint64_t     total;
    uint64_t     max;
} kz_hist_t;

void kz_hist_add(kz_hist_t *h, uint64_t ns);

/* the value below which the share q (0..1) of all values lies; 0 if empty */
double kz_hist_quantile(kz_hist_t *h, double q);


/* One measured stretch of time; filled by kz_meter_start() and _stop(). */

typedef struct {
    uint64_t     start;
    uint64_t     elapsed;
    uint64_t     own;                     /* CPU of this process */
    uint64_t     server[KZ_MAX_PIDS];     /* CPU of each --pid */
} kz_meter_t;

/* A number that only one sub-command has. */

typedef struct {
    const char  *name;
    double       value;
} kz_field_t;

uint64_t kz_clock(void);
uint64_t kz_clock_thread_cpu(void);
void kz_meter_start(kz_meter_t *m, kz_opt_t *opt);
void kz_meter_stop(kz_meter_t *m, kz_opt_t *opt);

/*
 * Prints the result of a sub-command, as one line of JSON with --json.  The
 * histogram may be NULL, the list of fields ends with a NULL name.
 */
void kz_report(kz_opt_t *opt, const char *cmd, kz_meter_t *m, uint64_t ops,
    kz_hist_t *h, kz_field_t *fields);


/*
 * A text in which {n} stands for a counter, {n%K} for the counter modulo K
 * and {r%K} for a random number below K.  Braces that hold anything else
 * (JSON) are plain text.
 */

typedef struct {
    char        *text;                    /* literal text before the number */
    size_t       len;
    int          kind;                    /* 'n', 'r', or 0: no number */
    uint64_t     mod;
} kz_piece_t;

typedef struct {
    kz_piece_t  *pieces;
    size_t       npieces;
    size_t       max;                     /* no rendering is longer */
} kz_tmpl_t;

void kz_tmpl_init(kz_tmpl_t *t, const char *text, size_t len);

/* renders into dst, which has t->max bytes; returns the length */
size_t kz_tmpl_render(kz_tmpl_t *t, uint64_t n, char *dst);

/* writes a decimal number (20 digits at most), returns the length */
size_t kz_net_number(char *dst, uint64_t n);


/* never NULL, zeroed; ends the program when there is no memory */
void *kz_net_alloc(size_t size);

/* prints "kzload: ..." on stderr and ends the program with code 1 */
void kz_net_die(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

/* the file's lines without their ends; empty lines are left out */
char **kz_net_lines(const char *file, size_t *n);

/* raises the limit of open files so that n more sockets fit */
void kz_net_need_files(int n);

/* a connected, non-blocking socket without Nagle's delay; -1 and errno */
int kz_net_connect(kz_opt_t *opt);

/* the same without waiting: it may not be connected yet */
int kz_net_connect_start(kz_opt_t *opt);

void kz_net_nonblocking(int fd);
void kz_net_epoll(int ep, int op, int fd, uint32_t events, void *data);


/* One WebSocket client connection. */

typedef struct kz_ws_s  kz_ws_t;

/*
 * Called for each whole message (at its last frame).  p is NULL when the
 * last frame did not arrive in one piece: its bytes are only counted.
 */
typedef void (*kz_ws_message_pt)(kz_ws_t *ws, const u_char *p, uint64_t len);

struct kz_ws_s {
    int                fd;
    int                ep;
    uint64_t           left;              /* payload bytes still to come */
    uint64_t           len;               /* payload bytes of this frame */
    u_char             head[10];
    unsigned           nhead;
    unsigned           op;                /* first byte of the frame */
    unsigned           armed:1;           /* waits for room to write */
    unsigned           closed:1;
    uint64_t           received;          /* messages */
    uint64_t           bytes;
    uint64_t           number;            /* the owner's */
    uint64_t          *times;             /* the owner's */
    u_char            *out;
    size_t             out_pos;
    size_t             out_len;
    size_t             out_size;
    kz_ws_message_pt   handler;
};

/*
 * Connects and shakes hands (waiting at most two seconds), then adds the
 * socket to the epoll set ep.  Ends the program when refused.
 */
void kz_ws_open(kz_ws_t *ws, kz_opt_t *opt, int ep,
    kz_ws_message_pt handler);

/* Queues one masked text frame; kz_ws_flush() sends what is queued. */
void kz_ws_text(kz_ws_t *ws, const char *text, size_t len);
void kz_ws_flush(kz_ws_t *ws);

/* Reads what is there, at most once; sets ws->closed at the end. */
void kz_ws_read(kz_ws_t *ws);


int kz_load_http(kz_opt_t *opt);
int kz_load_open(kz_opt_t *opt);
int kz_load_ws_rtt(kz_opt_t *opt);
int kz_load_ws_fanout(kz_opt_t *opt);
int kz_load_floor(kz_opt_t *opt);
int kz_load_fdatasync(kz_opt_t *opt);


#endif /* _KZLOAD_H_INCLUDED_ */
