/*
 * Questions about settings that more than one protocol asks.
 */

#include "core/kz_conf.h"


ngx_uint_t
kz_conf_origin(const kz_loc_conf_t *conf, const ngx_str_t *origin)
{
    ngx_str_t   *list;
    ngx_uint_t   i;

    if (conf->origins == NULL) {
        return 1;
    }

    list = conf->origins->elts;

    for (i = 0; i < conf->origins->nelts; i++) {

        /* RFC 6454, 6.2: scheme and host have one spelling, lower case */

        if (list[i].len == origin->len
            && ngx_strncasecmp(list[i].data, origin->data, origin->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
