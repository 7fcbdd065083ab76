
/*
 * Scrolls.  See the header.
 */

#include "store/sqlite/kz_sqlite_scroll.h"
#include "store/sqlite/kz_sqlite_conns.h"
#include "store/sqlite/kz_sqlite_search.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>


#define KZ_SCROLL_MAGIC  "KZSCROLL"
#define KZ_SCROLL_NAME   1024          /* bytes of a name in a head */
#define KZ_SCROLL_BODY   (64 * 1024)


typedef struct {
    u_char            magic[8];
    uint32_t          version;
    uint32_t          size;
    int64_t           expires;         /* epoch, ms */
    int64_t           ttl;
    uint64_t          file;
    int64_t           col;
    uint64_t          total;
    uint64_t          shown;
    uint64_t          at;              /* of the next entry */
    uint32_t          index;           /* lengths */
    uint32_t          collection;
    uint32_t          body;
    uint32_t          unused;
} kz_scroll_head_t;


typedef struct {
    uint32_t          id;
    uint32_t          sort;
    double            score;
} kz_scroll_entry_t;


struct kz_scroll_file_s {
    kz_scroll_t      *s;
    FILE             *out;
    kz_scroll_head_t  head;
    uint64_t          bytes;
    u_char            path[KZ_SQLITE_PATH_LEN + 64];
};


static ngx_int_t kz_scroll_path(const ngx_str_t *id, u_char *path,
    size_t size);
static ngx_int_t kz_scroll_sweep(kz_scroll_t *s);
static int64_t kz_scroll_now(void);
static ngx_int_t kz_scroll_failed(kz_scroll_t *s, const char *what);
static void kz_scroll_status(kz_scroll_t *s, kz_store_status_e status,
    const char *text);
static void kz_scroll_page(kz_scroll_t *s, FILE *in,
    kz_scroll_head_t *head);
static ngx_int_t kz_scroll_source(kz_scroll_t *s, kz_source_t *source);
static ngx_int_t kz_scroll_entry(kz_scroll_t *s, FILE *in,
    kz_scroll_entry_t *e, ngx_str_t *id, ngx_str_t *sort);
static ngx_int_t kz_scroll_doc(kz_scroll_t *s, kz_sqlite_db_t *db,
    int64_t col, const kz_source_t *source, kz_doc_t *doc);
static ngx_int_t kz_scroll_string(kz_scroll_t *s, FILE *in, size_t len,
    size_t max, ngx_str_t *dst);


static int64_t
kz_scroll_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static void
kz_scroll_status(kz_scroll_t *s, kz_store_status_e status, const char *text)
{
    s->status = status;
    s->err.code = SQLITE_ERROR;
    (void) ngx_cpystrn(s->err.text, (u_char *) text, KZ_SQLITE_ERR_LEN);
}


static ngx_int_t
kz_scroll_failed(kz_scroll_t *s, const char *what)
{
    s->status = KZ_STORE_FAILED;
    s->err.code = SQLITE_IOERR;
    *ngx_snprintf(s->err.text, KZ_SQLITE_ERR_LEN - 1, "scroll: %s: %s", what,
                  strerror(errno)) = '\0';

    return NGX_ERROR;
}


/* The id is ours: a name of a file, nothing else. */
static ngx_int_t
kz_scroll_path(const ngx_str_t *id, u_char *path, size_t size)
{
    size_t  i;

    if (id->len != KZ_SCROLL_ID) {
        return NGX_DECLINED;
    }

    for (i = 0; i < id->len; i++) {
        if (!((id->data[i] >= '0' && id->data[i] <= '9')
              || (id->data[i] >= 'a' && id->data[i] <= 'f')))
        {
            return NGX_DECLINED;
        }
    }

    *ngx_snprintf(path, size - 1, "%V/scroll/%V", &kz_conf->data, id) = '\0';

    return NGX_OK;
}


kz_scroll_file_t *
kz_scroll_open(kz_scroll_t *s, uint64_t file, int64_t col)
{
    u_char             rnd[KZ_SCROLL_ID / 2], *p;
    kz_scroll_file_t  *f;

    if (s->index.len > KZ_SCROLL_NAME || s->collection.len > KZ_SCROLL_NAME
        || s->body.len > KZ_SCROLL_BODY)
    {
        kz_scroll_status(s, KZ_STORE_BAD_QUERY, "the part [_source] of this"
                         " search is too long for a scroll");
        return NULL;
    }

    if (kz_scroll_sweep(s) != NGX_OK) {
        return NULL;
    }

    f = calloc(1, sizeof(kz_scroll_file_t));
    p = ngx_pnalloc(s->pool, KZ_SCROLL_ID);

    if (f == NULL || p == NULL
        || getrandom(rnd, sizeof(rnd), 0) != (ssize_t) sizeof(rnd))
    {
        free(f);
        kz_scroll_status(s, KZ_STORE_FAILED, "out of memory");
        return NULL;
    }

    (void) ngx_hex_dump(p, rnd, sizeof(rnd));

    s->id.data = p;
    s->id.len = KZ_SCROLL_ID;

    f->s = s;
    (void) kz_scroll_path(&s->id, f->path, sizeof(f->path));

    f->out = fopen((char *) f->path, "wxe");
    if (f->out == NULL) {
        (void) kz_scroll_failed(s, "open");
        free(f);
        return NULL;
    }

    ngx_memcpy(f->head.magic, KZ_SCROLL_MAGIC, 8);
    f->head.version = 1;
    f->head.size = (uint32_t) s->size;
    f->head.ttl = s->ttl;
    f->head.file = file;
    f->head.col = col;
    f->head.index = (uint32_t) s->index.len;
    f->head.collection = (uint32_t) s->collection.len;
    f->head.body = (uint32_t) s->body.len;
    f->bytes = sizeof(kz_scroll_head_t) + s->index.len + s->collection.len
               + s->body.len;
    f->head.at = f->bytes;

    (void) fwrite(&f->head, sizeof(kz_scroll_head_t), 1, f->out);
    (void) fwrite(s->index.data, 1, s->index.len, f->out);
    (void) fwrite(s->collection.data, 1, s->collection.len, f->out);
    (void) fwrite(s->body.data, 1, s->body.len, f->out);

    return f;
}


ngx_int_t
kz_scroll_add(kz_scroll_file_t *f, const ngx_str_t *id,
    const ngx_str_t *sort, double score, ngx_uint_t shown)
{
    kz_scroll_entry_t  e;

    e.id = (uint32_t) id->len;
    e.sort = (uint32_t) sort->len;
    e.score = score;

    (void) fwrite(&e, sizeof(kz_scroll_entry_t), 1, f->out);
    (void) fwrite(id->data, 1, id->len, f->out);
    (void) fwrite(sort->data, 1, sort->len, f->out);

    f->bytes += sizeof(kz_scroll_entry_t) + id->len + sort->len;
    f->head.total++;

    if (shown) {
        f->head.shown++;
        f->head.at = f->bytes;
    }

    if (ferror(f->out)) {
        return kz_scroll_failed(f->s, "write");
    }

    return NGX_OK;
}


ngx_int_t
kz_scroll_close(kz_scroll_file_t *f, ngx_uint_t keep)
{
    ngx_int_t     rc;
    kz_scroll_t  *s;

    s = f->s;
    rc = NGX_OK;

    f->head.expires = kz_scroll_now() + f->head.ttl;
    s->total = f->head.total;
    s->remaining = f->head.total - f->head.shown;

    if (keep
        && (fseek(f->out, 0, SEEK_SET) != 0
            || fwrite(&f->head, sizeof(kz_scroll_head_t), 1, f->out) != 1
            || fflush(f->out) != 0))
    {
        rc = kz_scroll_failed(s, "write");
    }

    (void) fclose(f->out);

    if (!keep || rc != NGX_OK) {
        (void) unlink((char *) f->path);
    }

    free(f);

    return rc;
}


/* Removes what is over; makes the directory. */
static ngx_int_t
kz_scroll_sweep(kz_scroll_t *s)
{
    int                fd;
    DIR               *dir;
    u_char             path[KZ_SQLITE_PATH_LEN + 64];
    int64_t            now;
    ngx_uint_t         n;
    struct dirent     *entry;
    kz_scroll_head_t   head;

    *ngx_snprintf(path, sizeof(path) - 1, "%V/scroll", &kz_conf->data)
        = '\0';

    if (mkdir((char *) path, 0700) == -1 && errno != EEXIST) {
        return kz_scroll_failed(s, "mkdir");
    }

    dir = opendir((char *) path);
    if (dir == NULL) {
        return kz_scroll_failed(s, "opendir");
    }

    now = kz_scroll_now();
    n = 0;

    while ((entry = readdir(dir)) != NULL) {

        if (entry->d_name[0] == '.') {
            continue;
        }

        fd = openat(dirfd(dir), entry->d_name, O_RDONLY|O_CLOEXEC);
        if (fd == -1) {
            continue;
        }

        n++;

        /* one that is being written has no end yet: 0 */

        if (read(fd, &head, sizeof(head)) == (ssize_t) sizeof(head)
            && head.expires != 0 && head.expires < now
            && unlinkat(dirfd(dir), entry->d_name, 0) == 0)
        {
            n--;
        }

        (void) close(fd);
    }

    (void) closedir(dir);

    if (n >= KZ_SCROLL_FILES) {
        s->status = KZ_STORE_BAD_QUERY;
        s->err.code = SQLITE_FULL;
        *ngx_snprintf(s->err.text, KZ_SQLITE_ERR_LEN - 1, "Trying to create"
                      " too many scroll contexts. Must be less than or equal"
                      " to: [%d].", KZ_SCROLL_FILES) = '\0';
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
kz_scroll_next_thread(kz_scroll_t *s)
{
    FILE              *in;
    u_char             path[KZ_SQLITE_PATH_LEN + 64];
    kz_scroll_head_t   head;

    s->status = KZ_STORE_NO_SCROLL;

    if (kz_scroll_path(&s->id, path, sizeof(path)) != NGX_OK) {
        return;
    }

    in = fopen((char *) path, "r+e");
    if (in == NULL) {
        if (errno != ENOENT) {
            (void) kz_scroll_failed(s, "open");
        }

        return;
    }

    /* two requests for one scroll get two pages, one after the other */

    if (flock(fileno(in), LOCK_EX) == -1
        || fread(&head, sizeof(head), 1, in) != 1
        || ngx_memcmp(head.magic, KZ_SCROLL_MAGIC, 8) != 0
        || head.version != 1)
    {
        (void) fclose(in);
        return;
    }

    if (head.expires < kz_scroll_now()) {
        (void) unlink((char *) path);
        (void) fclose(in);
        return;
    }

    s->status = KZ_STORE_OK;
    kz_scroll_page(s, in, &head);

    if (s->status == KZ_STORE_OK) {

        if (s->ttl) {
            head.ttl = s->ttl;
        }

        head.expires = kz_scroll_now() + head.ttl;

        if (s->once && s->remaining == 0) {
            (void) unlink((char *) path);

        } else if (fseek(in, 0, SEEK_SET) != 0
                   || fwrite(&head, sizeof(head), 1, in) != 1
                   || fflush(in) != 0)
        {
            (void) kz_scroll_failed(s, "write");
        }
    }

    (void) fclose(in);
}


static void
kz_scroll_page(kz_scroll_t *s, FILE *in, kz_scroll_head_t *head)
{
    size_t              bytes;
    ngx_str_t           id, sort;
    kz_doc_t           *doc;
    ngx_int_t           rc;
    ngx_uint_t          i, max;
    kz_conn_t          *conn;
    kz_source_t         source;
    kz_scroll_entry_t   e;

    if (kz_scroll_string(s, in, head->index, KZ_SCROLL_NAME, &s->index)
        != NGX_OK
        || kz_scroll_string(s, in, head->collection, KZ_SCROLL_NAME,
                            &s->collection)
           != NGX_OK
        || kz_scroll_string(s, in, head->body, KZ_SCROLL_BODY, &s->body)
           != NGX_OK
        || kz_scroll_source(s, &source) != NGX_OK
        || fseek(in, (long) head->at, SEEK_SET) != 0)
    {
        if (s->status == KZ_STORE_OK) {
            (void) kz_scroll_failed(s, "read");
        }

        return;
    }

    s->total = head->total;
    max = (ngx_uint_t) ngx_min((uint64_t) head->size,
                               head->total - head->shown);

    s->docs = ngx_pcalloc(s->pool, (max + 1) * sizeof(kz_doc_t));
    conn = kz_conns_take(head->file, s->patience, &s->err);

    if (s->docs == NULL
        || (conn == NULL && !kz_sqlite_absent(&s->err)))
    {
        if (conn != NULL) {
            kz_conns_put(conn, 0);
        }

        s->status = KZ_STORE_FAILED;
        return;
    }

    rc = NGX_OK;
    bytes = 0;

    for (i = 0; i < max && bytes < KZ_SEARCH_PAGE / 2; i++) {

        if (kz_scroll_entry(s, in, &e, &id, &sort) != NGX_OK) {
            rc = NGX_ERROR;
            break;
        }

        head->shown++;
        head->at += sizeof(kz_scroll_entry_t) + id.len + sort.len;

        if (conn == NULL) {
            continue;                 /* its index is gone */
        }

        doc = &s->docs[s->ndocs];

        doc->id = id;
        doc->sort = sort;
        doc->score = e.score;
        doc->scored = (sort.len == 0);

        rc = kz_scroll_doc(s, conn->db, head->col, &source, doc);

        if (rc == NGX_ERROR) {
            break;
        }

        if (rc == NGX_OK) {
            bytes += doc->source.len;
            s->ndocs++;
        }

        rc = NGX_OK;
    }

    if (conn != NULL) {
        kz_conns_put(conn, rc != NGX_OK);
    }

    s->remaining = head->total - head->shown;

    if (rc != NGX_OK && s->status == KZ_STORE_OK) {
        s->status = KZ_STORE_FAILED;
    }
}


static ngx_int_t
kz_scroll_source(kz_scroll_t *s, kz_source_t *source)
{
    kz_query_t        *q;
    kz_json_err_t      e;
    kz_json_val_t      v;
    kz_mapping_err_t   err;

    v.type = KZ_JSON_NONE;

    if (s->body.len
        && kz_json_scan(s->body.data, s->body.len, 16, &v, &e) != NGX_OK)
    {
        return NGX_ERROR;
    }

    q = kz_query_parse(s->pool, &v, 0, &err);

    return q ? kz_source_parse(source, s->pool, q, &err) : NGX_ERROR;
}


static ngx_int_t
kz_scroll_entry(kz_scroll_t *s, FILE *in, kz_scroll_entry_t *e,
    ngx_str_t *id, ngx_str_t *sort)
{
    if (fread(e, sizeof(kz_scroll_entry_t), 1, in) != 1) {
        return kz_scroll_failed(s, "read");
    }

    return kz_scroll_string(s, in, e->id, KZ_SCROLL_NAME, id) == NGX_OK
           ? kz_scroll_string(s, in, e->sort, KZ_SEARCH_PAGE, sort)
           : NGX_ERROR;
}


static ngx_int_t
kz_scroll_string(kz_scroll_t *s, FILE *in, size_t len, size_t max,
    ngx_str_t *dst)
{
    if (len > max) {
        errno = EINVAL;
        return kz_scroll_failed(s, "read");
    }

    dst->len = len;
    dst->data = ngx_pnalloc(s->pool, len + 1);

    if (dst->data == NULL || fread(dst->data, 1, len, in) != len) {
        return kz_scroll_failed(s, "read");
    }

    return NGX_OK;
}


/* NGX_DECLINED: it is gone, or its collection is. */
static ngx_int_t
kz_scroll_doc(kz_scroll_t *s, kz_sqlite_db_t *db, int64_t col,
    const kz_source_t *source, kz_doc_t *doc)
{
    int            code;
    u_char         sql[96], *p;
    kz_out_t       o;
    ngx_str_t      src;
    ngx_int_t      rc;
    ngx_uint_t     info;
    sqlite3_stmt  *stmt;

    p = ngx_snprintf(sql, sizeof(sql),
                     "SELECT ver, info, src FROM d%L WHERE id = ?1", col);

    stmt = kz_sqlite_stmt(db, (char *) sql, p - sql);

    if (stmt == NULL) {
        kz_sqlite_error(db, &s->err);

        return (s->err.code & 0xff) == SQLITE_ERROR ? NGX_DECLINED
                                                    : NGX_ERROR;
    }

    (void) sqlite3_bind_text(stmt, 1, (char *) doc->id.data,
                             (int) doc->id.len, SQLITE_STATIC);

    code = sqlite3_step(stmt);

    if (code != SQLITE_ROW) {
        rc = NGX_DECLINED;

        if (code != SQLITE_DONE) {
            kz_sqlite_error(db, &s->err);
            rc = NGX_ERROR;
        }

        kz_sqlite_done(stmt);
        return rc;
    }

    doc->version = sqlite3_column_int64(stmt, 0);
    doc->info = (sqlite3_column_int(stmt, 1) != 0);
    src.data = (u_char *) sqlite3_column_text(stmt, 2);
    src.len = sqlite3_column_bytes(stmt, 2);

    rc = NGX_ERROR;

    if (src.data != NULL) {
        kz_out_init(&o, s->pool, src.len + 1);

        if (source->all) {
            kz_out_str(&o, &src);

        } else {
            info = doc->info;
            (void) kz_source_filter(source, &src, &o, &info);
            doc->info = info;
            doc->hidden = source->none;
        }

        doc->source.data = o.start;
        doc->source.len = kz_out_len(&o);

        rc = kz_out_failed(&o) ? NGX_ERROR : NGX_OK;
    }

    kz_sqlite_done(stmt);

    if (rc != NGX_OK) {
        kz_scroll_status(s, KZ_STORE_FAILED, "out of memory");
    }

    return rc;
}
