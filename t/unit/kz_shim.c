
/*
 * The part of nginx's core that the pure layers use, so that unit tests and
 * fuzzers link without nginx (distributions ship its headers, not its
 * sources).  Behaviour is nginx's, with one difference on purpose: every
 * allocation from a pool is a malloc of its own, and ngx_pfree() frees any
 * of them, so that a sanitizer sees each overrun and each late use.
 */

#include "kz_shim.h"


typedef struct {
    u_char       zero;
    ngx_uint_t   width;
    ngx_uint_t   frac;
    ngx_uint_t   sign;
    ngx_uint_t   hex;           /* 1: lower case, 2: upper case */
    ngx_uint_t   star;
} kz_shim_spec_t;


static void *kz_shim_malloc(size_t size, size_t align);
static u_char *kz_shim_number(u_char *buf, u_char *last, uint64_t n,
    ngx_uint_t negative, u_char zero, ngx_uint_t width, ngx_uint_t hex);


ngx_log_t              kz_shim_log = { .log_level = NGX_LOG_DEBUG };
ngx_uint_t             kz_shim_logged;
ngx_int_t              kz_shim_allocations = -1;

ngx_uint_t             ngx_pagesize = 4096;
ngx_uint_t             ngx_pagesize_shift = 12;
ngx_uint_t             ngx_cacheline_size = 64;
ngx_pid_t              ngx_pid;
ngx_int_t              ngx_ncpu = 1;
ngx_int_t              ngx_process_slot;

static ngx_cycle_t     kz_shim_cycle = { .log = &kz_shim_log };
volatile ngx_cycle_t  *ngx_cycle = &kz_shim_cycle;

static ngx_time_t      kz_shim_time = { .sec = 1500000000 };
volatile ngx_time_t   *ngx_cached_time = &kz_shim_time;
volatile ngx_msec_t    ngx_current_msec = 1000;


ngx_pool_t *
kz_shim_pool(void)
{
    return ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &kz_shim_log);
}


u_char *
kz_shim_copy(const void *p, size_t len)
{
    u_char  *copy;

    copy = malloc(len ? len : 1);

    if (copy == NULL) {
        abort();
    }

    ngx_memcpy(copy, p, len);

    /* an empty text ends where its memory ends, too */
    return len ? copy : (u_char *) realloc(copy, 1);
}


/* Memory. */

static void *
kz_shim_malloc(size_t size, size_t align)
{
    void  *p;

    if (kz_shim_allocations == 0) {
        return NULL;
    }

    if (kz_shim_allocations > 0) {
        kz_shim_allocations--;
    }

    if (align > sizeof(void *)) {
        return posix_memalign(&p, align, size) == 0 ? p : NULL;
    }

    return malloc(size);
}


void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    (void) log;

    return kz_shim_malloc(size, 0);
}


void *
ngx_calloc(size_t size, ngx_log_t *log)
{
    void  *p;

    p = ngx_alloc(size, log);

    if (p) {
        ngx_memzero(p, size);
    }

    return p;
}


#if (NGX_HAVE_POSIX_MEMALIGN || NGX_HAVE_MEMALIGN)

void *
ngx_memalign(size_t alignment, size_t size, ngx_log_t *log)
{
    (void) log;

    return kz_shim_malloc(size, alignment);
}

#endif


ngx_pool_t *
ngx_create_pool(size_t size, ngx_log_t *log)
{
    ngx_pool_t  *pool;

    (void) size;

    pool = ngx_calloc(sizeof(ngx_pool_t), log);

    if (pool) {
        pool->log = log;
        pool->current = pool;
        pool->max = NGX_MAX_ALLOC_FROM_POOL;
    }

    return pool;
}


void
ngx_reset_pool(ngx_pool_t *pool)
{
    ngx_pool_large_t  *l, *next;

    for (l = pool->large; l; l = next) {
        next = l->next;
        free(l->alloc);
        free(l);
    }

    pool->large = NULL;
}


void
ngx_destroy_pool(ngx_pool_t *pool)
{
    ngx_pool_cleanup_t  *c, *next;

    for (c = pool->cleanup; c; c = c->next) {
        if (c->handler) {
            c->handler(c->data);
        }
    }

    ngx_reset_pool(pool);

    for (c = pool->cleanup; c; c = next) {
        next = c->next;
        free(c->data);
        free(c);
    }

    free(pool);
}


void *
ngx_pmemalign(ngx_pool_t *pool, size_t size, size_t alignment)
{
    void              *p;
    ngx_pool_large_t  *l;

    p = kz_shim_malloc(size, alignment);

    if (p == NULL) {
        return NULL;
    }

    l = malloc(sizeof(ngx_pool_large_t));

    if (l == NULL) {
        free(p);
        return NULL;
    }

    l->alloc = p;
    l->next = pool->large;
    pool->large = l;

    return p;
}


void *
ngx_palloc(ngx_pool_t *pool, size_t size)
{
    return ngx_pmemalign(pool, size, 0);
}


void *
ngx_pnalloc(ngx_pool_t *pool, size_t size)
{
    return ngx_pmemalign(pool, size, 0);
}


void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    void  *p;

    p = ngx_palloc(pool, size);

    if (p) {
        ngx_memzero(p, size);
    }

    return p;
}


ngx_int_t
ngx_pfree(ngx_pool_t *pool, void *p)
{
    ngx_pool_large_t  *l, **link;

    for (link = &pool->large; *link; link = &(*link)->next) {
        l = *link;

        if (l->alloc == p) {
            *link = l->next;
            free(l->alloc);
            free(l);
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_pool_cleanup_t *
ngx_pool_cleanup_add(ngx_pool_t *pool, size_t size)
{
    ngx_pool_cleanup_t  *c;

    c = ngx_calloc(sizeof(ngx_pool_cleanup_t), pool->log);

    if (c == NULL) {
        return NULL;
    }

    if (size) {
        c->data = ngx_alloc(size, pool->log);

        if (c->data == NULL) {
            free(c);
            return NULL;
        }
    }

    c->next = pool->cleanup;
    pool->cleanup = c;

    return c;
}


/* Arrays and sorting. */

ngx_array_t *
ngx_array_create(ngx_pool_t *pool, ngx_uint_t n, size_t size)
{
    ngx_array_t  *a;

    a = ngx_palloc(pool, sizeof(ngx_array_t));

    if (a == NULL || ngx_array_init(a, pool, n, size) != NGX_OK) {
        return NULL;
    }

    return a;
}


void
ngx_array_destroy(ngx_array_t *a)
{
    (void) ngx_pfree(a->pool, a->elts);
    (void) ngx_pfree(a->pool, a);
}


void *
ngx_array_push_n(ngx_array_t *a, ngx_uint_t n)
{
    void        *elts;
    ngx_uint_t   nalloc;

    if (a->nelts + n > a->nalloc) {
        nalloc = 2 * ngx_max(n, a->nalloc);

        elts = ngx_palloc(a->pool, nalloc * a->size);

        if (elts == NULL) {
            return NULL;
        }

        ngx_memcpy(elts, a->elts, a->nelts * a->size);
        (void) ngx_pfree(a->pool, a->elts);

        a->elts = elts;
        a->nalloc = nalloc;
    }

    a->nelts += n;

    return (u_char *) a->elts + a->size * (a->nelts - n);
}


void *
ngx_array_push(ngx_array_t *a)
{
    return ngx_array_push_n(a, 1);
}


/* Stable, as nginx's is. */
void
ngx_sort(void *base, size_t n, size_t size,
    ngx_int_t (*cmp)(const void *, const void *))
{
    u_char  *p, *q, *last, *key;

    key = malloc(size);

    if (key == NULL) {
        abort();
    }

    last = (u_char *) base + n * size;

    for (p = (u_char *) base + size; p < last; p += size) {
        ngx_memcpy(key, p, size);

        for (q = p; q > (u_char *) base && cmp(q - size, key) > 0; q -= size)
        {
            ngx_memcpy(q, q - size, size);
        }

        ngx_memcpy(q, key, size);
    }

    free(key);
}


/* Strings. */

void
ngx_strlow(u_char *dst, u_char *src, size_t n)
{
    while (n--) {
        *dst++ = ngx_tolower(*src);
        src++;
    }
}


u_char *
ngx_cpystrn(u_char *dst, u_char *src, size_t n)
{
    if (n == 0) {
        return dst;
    }

    while (--n && *src) {
        *dst++ = *src++;
    }

    *dst = '\0';

    return dst;
}


u_char *
ngx_pstrdup(ngx_pool_t *pool, ngx_str_t *src)
{
    u_char  *dst;

    dst = ngx_pnalloc(pool, src->len);

    if (dst) {
        ngx_memcpy(dst, src->data, src->len);
    }

    return dst;
}


ngx_int_t
ngx_strcasecmp(u_char *s1, u_char *s2)
{
    return ngx_strncasecmp(s1, s2, NGX_MAX_SIZE_T_VALUE);
}


ngx_int_t
ngx_strncasecmp(u_char *s1, u_char *s2, size_t n)
{
    ngx_uint_t  c1, c2;

    while (n--) {
        c1 = ngx_tolower(*s1);
        c2 = ngx_tolower(*s2);

        if (c1 != c2) {
            return c1 - c2;
        }

        if (c1 == 0) {
            break;
        }

        s1++;
        s2++;
    }

    return 0;
}


ngx_int_t
ngx_rstrncmp(u_char *s1, u_char *s2, size_t n)
{
    while (n--) {
        if (s1[n] != s2[n]) {
            return s1[n] - s2[n];
        }
    }

    return 0;
}


ngx_int_t
ngx_memn2cmp(u_char *s1, u_char *s2, size_t n1, size_t n2)
{
    ngx_int_t  rc;

    rc = ngx_memcmp(s1, s2, ngx_min(n1, n2));

    if (rc != 0) {
        return rc;
    }

    return (n1 == n2) ? 0 : (n1 < n2) ? -1 : 1;
}


ngx_int_t
ngx_atoi(u_char *line, size_t n)
{
    ngx_int_t  value;

    if (n == 0) {
        return NGX_ERROR;
    }

    for (value = 0; n--; line++) {
        if (*line < '0' || *line > '9'
            || value > (NGX_MAX_INT_T_VALUE - (*line - '0')) / 10)
        {
            return NGX_ERROR;
        }

        value = value * 10 + (*line - '0');
    }

    return value;
}


ssize_t
ngx_atosz(u_char *line, size_t n)
{
    return ngx_atoi(line, n);
}


off_t
ngx_atoof(u_char *line, size_t n)
{
    return ngx_atoi(line, n);
}


ngx_int_t
ngx_hextoi(u_char *line, size_t n)
{
    u_char     c;
    ngx_int_t  value;

    if (n == 0) {
        return NGX_ERROR;
    }

    for (value = 0; n--; line++) {
        if (value > NGX_MAX_INT_T_VALUE / 16) {
            return NGX_ERROR;
        }

        c = *line | 0x20;

        if (*line >= '0' && *line <= '9') {
            value = value * 16 + (*line - '0');

        } else if (c >= 'a' && c <= 'f') {
            value = value * 16 + (c - 'a' + 10);

        } else {
            return NGX_ERROR;
        }
    }

    return value;
}


/* ngx_sprintf() and family, the conversions nginx documents. */

u_char * ngx_cdecl
ngx_sprintf(u_char *buf, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, (void *) -1, fmt, args);
    va_end(args);

    return p;
}


u_char * ngx_cdecl
ngx_snprintf(u_char *buf, size_t max, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, buf + max, fmt, args);
    va_end(args);

    return p;
}


u_char * ngx_cdecl
ngx_slprintf(u_char *buf, u_char *last, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, last, fmt, args);
    va_end(args);

    return p;
}


static u_char *
kz_shim_bytes(u_char *buf, u_char *last, const void *p, size_t len)
{
    len = ngx_min((size_t) (last - buf), len);

    return ngx_cpymem(buf, p, len);
}


static u_char *
kz_shim_float(u_char *buf, u_char *last, double f, const kz_shim_spec_t *spec)
{
    uint64_t    n, scale;
    ngx_uint_t  i, negative;

    negative = (f < 0);
    f = negative ? -f : f;
    n = (uint64_t) f;
    scale = 1;

    for (f -= n, i = 0; i < spec->frac; i++) {
        f *= 10;
        scale *= 10;
    }

    if ((uint64_t) (f + 0.5) == scale) {
        n++;
        f = 0;
    }

    buf = kz_shim_number(buf, last, n, negative, spec->zero, spec->width, 0);

    if (spec->frac && buf < last) {
        *buf++ = '.';
        buf = kz_shim_number(buf, last, (uint64_t) (f + 0.5), 0, '0',
                             spec->frac, 0);
    }

    return buf;
}


/* What stands between the percent sign and the letter. */
static const char *
kz_shim_spec(const char *fmt, kz_shim_spec_t *spec)
{
    ngx_memzero(spec, sizeof(kz_shim_spec_t));

    spec->zero = (*fmt == '0') ? '0' : ' ';
    spec->sign = 1;

    while (*fmt >= '0' && *fmt <= '9') {
        spec->width = spec->width * 10 + (*fmt++ - '0');
    }

    for ( ;; fmt++) {
        if (*fmt == 'u') {
            spec->sign = 0;

        } else if (*fmt == 'x' || *fmt == 'X') {
            spec->hex = (*fmt == 'X') ? 2 : 1;
            spec->sign = 0;

        } else if (*fmt == '*') {
            spec->star = 1;

        } else if (*fmt == '.') {
            while (fmt[1] >= '0' && fmt[1] <= '9') {
                spec->frac = spec->frac * 10 + (*++fmt - '0');
            }

        } else {
            return fmt;
        }
    }
}


u_char *
ngx_vslprintf(u_char *buf, u_char *last, const char *fmt, va_list args)
{
    size_t           len;
    int64_t          i;
    uint64_t         u;
    ngx_str_t       *v;
    const char      *s;
    kz_shim_spec_t   spec;

    while (*fmt && buf < last) {

        if (*fmt != '%') {
            *buf++ = *fmt++;
            continue;
        }

        fmt = kz_shim_spec(fmt + 1, &spec);

        switch (*fmt++) {

        case 'V':
            v = va_arg(args, ngx_str_t *);
            buf = kz_shim_bytes(buf, last, v->data, v->len);
            continue;

        case 's':
            len = spec.star ? va_arg(args, size_t) : 0;
            s = va_arg(args, char *);
            buf = kz_shim_bytes(buf, last, s, spec.star ? len
                                                        : ngx_strlen(s));
            continue;

        case 'c':
            *buf++ = (u_char) va_arg(args, int);
            continue;

        case 'N':
            *buf++ = LF;
            continue;

        case 'Z':
            *buf++ = '\0';
            continue;

        case 'f':
            buf = kz_shim_float(buf, last, va_arg(args, double), &spec);
            continue;

        case 'O': case 'L': case 'l': case 'z': case 'i': case 'T':
        case 'M': case 'A':
            i = va_arg(args, long);
            u = (uint64_t) i;
            spec.sign = (spec.sign && fmt[-1] != 'M');
            break;

        case 'p':
            u = (uintptr_t) va_arg(args, void *);
            i = 0;
            spec.hex = 2;
            spec.width = 2 * sizeof(void *);
            spec.zero = '0';
            break;

        case 'd': case 'D': case 'P':
            i = va_arg(args, int);
            u = spec.sign ? (uint64_t) i : (uint32_t) i;
            break;

        default:
            *buf++ = fmt[-1];
            continue;
        }

        if (spec.sign && i < 0) {
            buf = kz_shim_number(buf, last, 0 - u, 1, spec.zero, spec.width,
                                 0);

        } else {
            buf = kz_shim_number(buf, last, u, 0, spec.zero, spec.width,
                                 spec.hex);
        }
    }

    return buf;
}


static u_char *
kz_shim_number(u_char *buf, u_char *last, uint64_t n, ngx_uint_t negative,
    u_char zero, ngx_uint_t width, ngx_uint_t hex)
{
    u_char        *p;
    size_t         len;
    u_char         text[NGX_INT64_LEN + 1];
    const char    *digits;
    ngx_uint_t     base;

    base = hex ? 16 : 10;
    digits = (hex == 2) ? "0123456789ABCDEF" : "0123456789abcdef";

    p = text + sizeof(text);

    do {
        *--p = digits[n % base];
        n /= base;
    } while (n != 0);

    if (negative && buf < last) {
        *buf++ = '-';
    }

    for (len = text + sizeof(text) - p; len < width && buf < last; width--) {
        *buf++ = zero;
    }

    return kz_shim_bytes(buf, last, p, len);
}


/* Log. */

void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    u_char    text[NGX_MAX_ERROR_STR], *p;
    va_list   args;

    (void) log;

    if (level <= NGX_LOG_WARN) {
        kz_shim_logged++;
    }

    if (getenv("KZ_SHIM_LOG") == NULL) {
        return;
    }

    va_start(args, fmt);
    p = ngx_vslprintf(text, text + sizeof(text), fmt, args);
    va_end(args);

    fprintf(stderr, "# [%u] %.*s (%d)\n", (unsigned) level,
            (int) (p - text), text, err);
}
