/*
 * A chain of zlib streams, see kz_inflate.h.  Every round gives each layer,
 * the last one first, the chance to move what lies before it; when a round
 * moves nothing, either the input or the room is at its end.
 */

#include "util/kz_inflate.h"

#include <zlib.h>


#define KZ_INFLATE_BUFFER  8192
#define KZ_INFLATE_STEP    16384

/* Input is dearer than output: it may be nothing but tables. */
#define KZ_INFLATE_PRICE   4
#define KZ_INFLATE_MEMBER  1024


typedef enum {
    KZ_INFLATE_START = 0,       /* not a byte has come */
    KZ_INFLATE_STREAM,
    KZ_INFLATE_AFTER            /* the stream, or member, has ended */
} kz_inflate_state_e;


struct kz_inflate_layer_s {
    z_stream              zs;
    kz_inflate_coding_e   coding;
    kz_inflate_state_e    state;
    size_t                total;      /* bytes produced */
    u_char               *buf;        /* its input; the first layer has none */
    u_char               *pos;
    u_char               *last;
    unsigned              full:1;     /* zlib may hold more output */
    unsigned              done:1;
};


static ngx_int_t kz_inflate_name(kz_inflate_list_t *list, ngx_str_t *name);
static void *kz_inflate_alloc(void *pool, u_int items, u_int size);
static void kz_inflate_release(void *pool, void *p);
static ngx_int_t kz_inflate_layer(kz_inflate_t *z, ngx_uint_t i,
    kz_inflate_io_t *io, ngx_uint_t *moved);
static ngx_int_t kz_inflate_next(kz_inflate_t *z, ngx_uint_t i,
    kz_inflate_io_t *in, ngx_uint_t *moved);
static ngx_int_t kz_inflate_step(kz_inflate_t *z, kz_inflate_layer_t *l,
    kz_inflate_io_t *in, ngx_uint_t *moved);
static ngx_int_t kz_inflate_failed(kz_inflate_t *z, const char *what);


static const char  kz_inflate_cut[] = "unexpected end of file";


ngx_int_t
kz_inflate_list(kz_inflate_list_t *list, ngx_str_t *text, ngx_uint_t max)
{
    u_char      *p, *start, *end, *last;
    ngx_str_t    name;
    ngx_uint_t   n;

    list->n = 0;
    ngx_str_null(&list->unknown);

    n = 0;
    start = text->data;

    for (last = start + text->len; /* void */ ; last = p - 1) {

        for (p = last; p > start && p[-1] != ','; p--) { /* void */ }

        name.data = p;
        end = last;

        while (name.data < end && (*name.data == ' ' || *name.data == '\t')) {
            name.data++;
        }

        while (end > name.data && (end[-1] == ' ' || end[-1] == '\t')) {
            end--;
        }

        name.len = end - name.data;

        /* empty elements do not count (RFC 9110, 5.6.1) */

        if (name.len) {

            if (n++ == max) {
                return NGX_DECLINED;
            }

            if (list->unknown.data == NULL
                && kz_inflate_name(list, &name) != NGX_OK)
            {
                list->unknown = name;
            }
        }

        if (p == start) {
            break;
        }
    }

    return list->unknown.data ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
kz_inflate_name(kz_inflate_list_t *list, ngx_str_t *name)
{
    if (name->len == 8
        && ngx_strncasecmp(name->data, (u_char *) "identity", 8) == 0)
    {
        return NGX_OK;
    }

    if (list->n == KZ_INFLATE_MAX_LAYERS) {
        return NGX_DECLINED;
    }

    if (name->len == 4
        && ngx_strncasecmp(name->data, (u_char *) "gzip", 4) == 0)
    {
        list->codings[list->n++] = KZ_INFLATE_GZIP;
        return NGX_OK;
    }

    if (name->len == 7
        && ngx_strncasecmp(name->data, (u_char *) "deflate", 7) == 0)
    {
        list->codings[list->n++] = KZ_INFLATE_ZLIB;
        return NGX_OK;
    }

    return NGX_DECLINED;
}


kz_inflate_t *
kz_inflate_create(ngx_pool_t *pool, const kz_inflate_list_t *list,
    size_t max)
{
    ngx_uint_t           i;
    kz_inflate_t        *z;
    kz_inflate_layer_t  *l;

    z = ngx_pcalloc(pool, sizeof(kz_inflate_t));
    if (z == NULL) {
        return NULL;
    }

    z->layers = ngx_pcalloc(pool, list->n * sizeof(kz_inflate_layer_t));
    if (z->layers == NULL) {
        return NULL;
    }

    z->pool = pool;
    z->max = max;

    for (i = 0; i < list->n; i++) {
        l = &z->layers[i];

        l->coding = list->codings[i];
        l->zs.zalloc = kz_inflate_alloc;
        l->zs.zfree = kz_inflate_release;
        l->zs.opaque = pool;

        if (i) {
            l->buf = ngx_palloc(pool, KZ_INFLATE_BUFFER);
            if (l->buf == NULL) {
                kz_inflate_free(z);
                return NULL;
            }

            l->pos = l->buf;
            l->last = l->buf;
        }

        /* the largest window; 16 more: a gzip header and trailer */

        if (inflateInit2(&l->zs, l->coding == KZ_INFLATE_GZIP
                                 ? MAX_WBITS + 16 : MAX_WBITS)
            != Z_OK)
        {
            kz_inflate_free(z);
            return NULL;
        }

        z->n++;
    }

    return z;
}


static void *
kz_inflate_alloc(void *pool, u_int items, u_int size)
{
    return ngx_palloc(pool, (size_t) items * size);
}


static void
kz_inflate_release(void *pool, void *p)
{
    (void) ngx_pfree(pool, p);
}


void
kz_inflate_free(kz_inflate_t *z)
{
    while (z->n) {
        z->n--;
        (void) inflateEnd(&z->layers[z->n].zs);

        if (z->n) {
            (void) ngx_pfree(z->pool, z->layers[z->n].buf);
        }
    }
}


ngx_int_t
kz_inflate_run(kz_inflate_t *z, kz_inflate_io_t *io)
{
    ngx_int_t   rc;
    ngx_uint_t  i, moved;

    do {
        if (z->budget <= 0) {
            return NGX_BUSY;
        }

        moved = 0;

        for (i = z->n; i-- > 0; /* void */ ) {
            rc = kz_inflate_layer(z, i, io, &moved);

            if (rc != NGX_OK) {
                return rc;
            }
        }

        if (z->layers[z->n - 1].done) {
            return NGX_OK;
        }

    } while (moved);

    return io->out == io->out_end ? NGX_BUSY : NGX_AGAIN;
}


/* Moves what it can from before a layer to behind it. */

static ngx_int_t
kz_inflate_layer(kz_inflate_t *z, ngx_uint_t i, kz_inflate_io_t *io,
    ngx_uint_t *moved)
{
    ngx_int_t            rc;
    kz_inflate_io_t      in;
    kz_inflate_layer_t  *l, *next;

    l = &z->layers[i];

    if (l->done) {
        return NGX_OK;
    }

    if (i == 0) {
        in.pos = io->pos;
        in.end = io->end;
        in.last = io->last;

    } else {
        in.pos = l->pos;
        in.end = l->last;
        in.last = l[-1].done;
    }

    if (i == z->n - 1) {
        next = NULL;
        in.out = io->out;
        in.out_end = io->out_end;

    } else {
        next = l + 1;

        if (next->pos == next->last) {
            next->pos = next->buf;
            next->last = next->buf;
        }

        in.out = next->last;
        in.out_end = next->buf + KZ_INFLATE_BUFFER;
    }

    rc = kz_inflate_next(z, i, &in, moved);

    if (i == 0) {
        io->pos = in.pos;

    } else {
        l->pos = in.pos;
    }

    if (next) {
        next->last = in.out;

    } else {
        io->out = in.out;
    }

    return rc;
}


static ngx_int_t
kz_inflate_next(kz_inflate_t *z, ngx_uint_t i, kz_inflate_io_t *in,
    ngx_uint_t *moved)
{
    kz_inflate_layer_t  *l = &z->layers[i];

    if (l->state == KZ_INFLATE_AFTER) {

        while (in->pos < in->end && *in->pos == 0) {
            in->pos++;
            z->budget--;
            *moved = 1;
        }

        if (in->pos == in->end) {
            l->done = in->last;
            *moved |= l->done;

            return NGX_OK;
        }

        if (l->coding == KZ_INFLATE_ZLIB) {
            return kz_inflate_failed(z, "data after the end of the stream");
        }

        (void) inflateReset(&l->zs);

        l->state = KZ_INFLATE_STREAM;
        z->budget -= KZ_INFLATE_MEMBER;
    }

    if (in->pos == in->end && !l->full) {

        if (!in->last) {
            return NGX_OK;
        }

        if (l->state == KZ_INFLATE_START
            && (i == 0 || l[-1].state == KZ_INFLATE_START))
        {
            /* no body at all is not a broken one */

            l->done = 1;
            *moved = 1;

            return NGX_OK;
        }
    }

    if (in->out == in->out_end) {
        return NGX_OK;
    }

    return kz_inflate_step(z, l, in, moved);
}


/* One call of zlib. */

static ngx_int_t
kz_inflate_step(kz_inflate_t *z, kz_inflate_layer_t *l, kz_inflate_io_t *in,
    ngx_uint_t *moved)
{
    int        rc;
    size_t     taken, made;
    z_stream  *zs = &l->zs;

    taken = ngx_min(in->end - in->pos, KZ_INFLATE_STEP);
    made = ngx_min(in->out_end - in->out, KZ_INFLATE_STEP);

    zs->next_in = in->pos;
    zs->avail_in = taken;
    zs->next_out = in->out;
    zs->avail_out = made;

    rc = inflate(zs, Z_SYNC_FLUSH);

    taken -= zs->avail_in;
    made -= zs->avail_out;

    in->pos += taken;
    in->out += made;

    l->total += made;
    l->full = (zs->avail_out == 0);

    if (l->state == KZ_INFLATE_START) {
        l->state = KZ_INFLATE_STREAM;
    }

    z->budget -= taken * KZ_INFLATE_PRICE + made;

    if (taken || made) {
        *moved = 1;
    }

    if (l->total > z->max) {
        return NGX_DECLINED;
    }

    switch (rc) {

    case Z_OK:
        return NGX_OK;

    case Z_STREAM_END:
        l->state = KZ_INFLATE_AFTER;
        l->full = 0;
        *moved = 1;

        return NGX_OK;

    case Z_BUF_ERROR:
        return in->last && in->pos == in->end
               ? kz_inflate_failed(z, kz_inflate_cut) : NGX_OK;

    case Z_NEED_DICT:
        return kz_inflate_failed(z, "Missing dictionary");

    case Z_MEM_ERROR:
        return kz_inflate_failed(z, NULL);

    default:
        return kz_inflate_failed(z, zs->msg ? zs->msg : "invalid data");
    }
}


static ngx_int_t
kz_inflate_failed(kz_inflate_t *z, const char *what)
{
    z->what = what;

    return NGX_ERROR;
}
