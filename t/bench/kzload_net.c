
/*
 * Sockets, files and text templates of kzload.
 */


#include "kzload.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <sys/resource.h>


#define KZ_NUMBER_LEN  20


static size_t kz_tmpl_number(const char *p, const char *end,
    kz_piece_t *piece);
static uint64_t kz_tmpl_random(void);
static void kz_net_address(struct sockaddr_in *sin, kz_opt_t *opt);


void
kz_net_die(const char *fmt, ...)
{
    va_list  args;

    fflush(stdout);
    fprintf(stderr, "kzload: ");

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);

    fprintf(stderr, "\n");

    exit(1);
}


void *
kz_net_alloc(size_t size)
{
    void  *p;

    p = calloc(1, size ? size : 1);
    if (p == NULL) {
        kz_net_die("no memory for %zu bytes", size);
    }

    return p;
}


char **
kz_net_lines(const char *file, size_t *n)
{
    FILE     *f;
    char     *line, **list;
    size_t    cap, size;
    ssize_t   len;

    f = fopen(file, "r");
    if (f == NULL) {
        kz_net_die("%s: %s", file, strerror(errno));
    }

    *n = 0;
    cap = 0;
    line = NULL;
    list = NULL;
    size = 0;

    for ( ;; ) {
        len = getline(&line, &size, f);
        if (len == -1) {
            break;
        }

        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r')) {
            line[--len] = '\0';
        }

        if (len == 0) {
            continue;
        }

        if (*n == cap) {
            cap = cap ? cap * 2 : 1024;

            list = realloc(list, cap * sizeof(char *));
            if (list == NULL) {
                kz_net_die("no memory for the lines of %s", file);
            }
        }

        list[*n] = kz_net_alloc((size_t) len + 1);
        memcpy(list[(*n)++], line, (size_t) len + 1);
    }

    free(line);
    fclose(f);

    if (*n == 0) {
        kz_net_die("%s: no lines", file);
    }

    return list;
}


void
kz_net_need_files(int n)
{
    rlim_t         want;
    struct rlimit  rl;

    want = (rlim_t) n + 64;

    if (getrlimit(RLIMIT_NOFILE, &rl) != 0) {
        kz_net_die("getrlimit: %s", strerror(errno));
    }

    if (rl.rlim_cur >= want) {
        return;
    }

    /* above the hard limit only root may go */

    if (rl.rlim_max < want) {
        rl.rlim_max = want;
    }

    rl.rlim_cur = want;

    if (setrlimit(RLIMIT_NOFILE, &rl) != 0) {
        kz_net_die("%d sockets do not fit into the limit of open files: %s",
                   n, strerror(errno));
    }
}


void
kz_net_nonblocking(int fd)
{
    if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1) {
        kz_net_die("fcntl: %s", strerror(errno));
    }
}


int
kz_net_connect(kz_opt_t *opt)
{
    int                 fd, on;
    struct timeval      tv;
    struct sockaddr_in  sin;

    kz_net_address(&sin, opt);

    fd = socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return -1;
    }

    /* the timeout also bounds connect() on a full backlog */

    on = 1;
    tv.tv_sec = 2;
    tv.tv_usec = 0;

    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    if (connect(fd, (struct sockaddr *) &sin, sizeof(sin)) != 0) {
        close(fd);
        return -1;
    }

    kz_net_nonblocking(fd);

    return fd;
}


int
kz_net_connect_start(kz_opt_t *opt)
{
    int                 fd, on;
    struct sockaddr_in  sin;

    kz_net_address(&sin, opt);

    fd = socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0);
    if (fd == -1) {
        return -1;
    }

    on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    if (connect(fd, (struct sockaddr *) &sin, sizeof(sin)) != 0
        && errno != EINPROGRESS)
    {
        close(fd);
        return -1;
    }

    return fd;
}


static void
kz_net_address(struct sockaddr_in *sin, kz_opt_t *opt)
{
    memset(sin, 0, sizeof(struct sockaddr_in));

    sin->sin_family = AF_INET;
    sin->sin_port = htons((uint16_t) opt->port);

    if (inet_pton(AF_INET, opt->host, &sin->sin_addr) != 1
        || (ntohl(sin->sin_addr.s_addr) >> 24) != 127)
    {
        kz_net_die("%s is not a loopback IPv4 address", opt->host);
    }
}


void
kz_net_epoll(int ep, int op, int fd, uint32_t events, void *data)
{
    struct epoll_event  ev;

    ev.events = events;
    ev.data.ptr = data;

    if (epoll_ctl(ep, op, fd, &ev) != 0) {
        kz_net_die("epoll_ctl: %s", strerror(errno));
    }
}


void
kz_tmpl_init(kz_tmpl_t *t, const char *text, size_t len)
{
    size_t       n;
    kz_piece_t  *piece;
    const char  *p, *start, *end;

    end = text + len;

    /* as many pieces as braces, plus the text behind the last one */

    n = 1;

    for (p = text; p < end; p++) {
        n += (*p == '{');
    }

    t->pieces = kz_net_alloc(n * sizeof(kz_piece_t));
    t->npieces = 0;
    t->max = 0;

    start = text;

    for (p = text; p <= end; /* void */ ) {
        piece = &t->pieces[t->npieces];
        n = (p < end) ? kz_tmpl_number(p, end, piece) : 0;

        if (n == 0 && p < end) {
            p++;
            continue;
        }

        piece->len = (size_t) (p - start);
        piece->text = kz_net_alloc(piece->len + 1);
        memcpy(piece->text, start, piece->len);

        t->npieces++;
        t->max += piece->len + KZ_NUMBER_LEN;

        if (p == end) {
            break;
        }

        p += n;
        start = p;
    }
}


/* the length of "{n}", "{n%K}" or "{r%K}" at p; 0: something else */

static size_t
kz_tmpl_number(const char *p, const char *end, kz_piece_t *piece)
{
    uint64_t     mod;
    const char  *start;

    start = p;

    if (end - p < 3 || p[0] != '{' || (p[1] != 'n' && p[1] != 'r')) {
        return 0;
    }

    mod = 0;

    if (p[2] == '%') {
        for (p += 3; p < end && *p >= '0' && *p <= '9'; p++) {
            mod = mod * 10 + (uint64_t) (*p - '0');
        }

        if (mod == 0) {
            return 0;
        }

    } else {
        p += 2;
    }

    if (p == end || *p != '}' || (start[1] == 'r' && mod == 0)) {
        return 0;
    }

    piece->kind = start[1];
    piece->mod = mod;

    return (size_t) (p + 1 - start);
}


size_t
kz_tmpl_render(kz_tmpl_t *t, uint64_t n, char *dst)
{
    char        *p;
    size_t       i;
    uint64_t     value;
    kz_piece_t  *piece;

    p = dst;

    for (i = 0; i < t->npieces; i++) {
        piece = &t->pieces[i];

        memcpy(p, piece->text, piece->len);
        p += piece->len;

        if (piece->kind != 0) {
            value = (piece->kind == 'n') ? n : kz_tmpl_random();
            p += kz_net_number(p, piece->mod ? value % piece->mod : value);
        }
    }

    return (size_t) (p - dst);
}


/* xorshift64 with a fixed seed: every run asks for the same things */

static uint64_t
kz_tmpl_random(void)
{
    static uint64_t  x = 88172645463325252ULL;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;

    return x;
}


size_t
kz_net_number(char *dst, uint64_t n)
{
    char    tmp[KZ_NUMBER_LEN];
    size_t  len;

    len = 0;

    do {
        tmp[KZ_NUMBER_LEN - ++len] = (char) ('0' + n % 10);
        n /= 10;
    } while (n != 0);

    memcpy(dst, tmp + KZ_NUMBER_LEN - len, len);

    return len;
}
