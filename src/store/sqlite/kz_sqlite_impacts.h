#ifndef _KZ_SQLITE_IMPACTS_H_INCLUDED_
#define _KZ_SQLITE_IMPACTS_H_INCLUDED_

/*
 * How often a word occurs in documents, and how long their texts are: what
 * postings do not know and a score takes.  Learned from the documents that
 * searches have looked at, and kept by the process, up to KZ_IMPACTS_MAX
 * bytes, the least recently used word leaves first.
 *
 * A row that a segment covers never changes, so what is known of it stays
 * true; rows above the segments are not kept.  Threads share it.
 */

#include <ngx_config.h>
#include <ngx_core.h>


#define KZ_IMPACTS_MAX  (64 * 1024 * 1024)
#define KZ_IMPACTS_MIN  128           /* rows that are worth an entry */


typedef struct {
    uint32_t              r;
    uint16_t              length;     /* of the text, in words */
    uint16_t              tf;
} kz_impact_t;


typedef struct {
    uint64_t              file;       /* of the index */
    int64_t               col;
    int64_t               f;
    uint32_t              settings;   /* a hash of the collection's */
    ngx_str_t             word;
} kz_impacts_key_t;


/* Of one word; read only. */

typedef struct kz_impacts_s  kz_impacts_t;

struct kz_impacts_s {
    ngx_queue_t           queue;
    kz_impacts_t         *next;       /* in its bucket */
    kz_impacts_key_t      key;        /* its word behind the list */
    ngx_uint_t            refs;
    int64_t               hi;         /* rows up to it */
    size_t                size;       /* bytes */
    size_t                n;
    kz_impact_t           list[];     /* by rows */
};


/*
 * What is known of a word, to be given back; NULL: nothing.  hi: the last row
 * that a segment covers now.
 */
kz_impacts_t *kz_impacts_take(const kz_impacts_key_t *key, int64_t hi);
void kz_impacts_release(kz_impacts_t *w);

/*
 * Adds n rows that old (NULL: nothing) does not have, ascending; without
 * memory nothing is kept.
 */
void kz_impacts_add(const kz_impacts_key_t *key, const kz_impacts_t *old,
    const kz_impact_t *more, size_t n, int64_t hi);


#endif /* _KZ_SQLITE_IMPACTS_H_INCLUDED_ */
