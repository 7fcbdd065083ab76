# Searches that mean no good: SQL in every name and value, huge ones, long
# lists, patterns that explode, deep ones, numbers beyond all bounds, ids and
# names at their limits.  Each is answered or refused, and nothing suffers.

use Test::Nginx::Kuzzle;
use Test::Nginx::Kuzzle::Json 'json_decode';
use Test::Nginx::Kuzzle::Load 'ask_all';
use Time::HiRes 'time';

Test::Nginx::Socket::add_block_action(calls => sub {
    my ($block, $server) = @_;
    my ($function) = $block->calls =~ /(\w+)/;

    create($server);
    no strict 'refs';
    &{"main::$function"}($block->name, $server);

    is(ask($server, POST => '/nyc/c/_count')->{content} =~ /"count":3\b/, 1,
        $block->name . ' - three documents, as before');
    is(ask($server, GET => '/_now')->{status}, 200,
        $block->name . ' - and it serves');
});

add_block_preprocessor(sub {
    my ($block) = @_;
    $block->set_value('config', "location / {\n    kuzzle;\n"
        . "    kuzzle_api 2;\n    kuzzle_max_request_size 4m;\n}\n");
});

run_tests();


sub ask {
    my ($server, $method, $path, $body) = @_;

    my ($r) = ask_all($server->port, [{ method => $method, path => $path,
                                        body => $body }]);
    $r->{$_} = defined $r->{$_} ? $r->{$_} : '' for qw(status content);

    return $r;
}


sub create {
    my ($server) = @_;

    ask($server, POST => '/nyc/_create');
    ask($server, PUT => '/nyc/c', '{"mappings":{"properties":{"n":{"type":'
        . '"integer"},"f":{"type":"double"},"d":{"type":"date"},'
        . '"k":{"type":"keyword"},"t":{"type":"text"}}}}');
    ask($server, POST => "/nyc/c/d$_/_create", qq({"n":$_,"f":$_.5,"k":"k$_",)
        . qq("t":"word $_","d":"2020-01-0$_"})) for 1 .. 3;
}


# What was found, or the status.

sub found {
    my ($server, $body) = @_;

    my $r = ask($server, POST => '/nyc/c/_search', $body);
    return $r->{content} =~ /"total":(\d+)/ && $r->{status} == 200
         ? $1 : "refused $r->{status}";
}


# Found nothing, or refused in words.

sub harmless {
    my ($server, $what, $body) = @_;

    my $r = ask($server, POST => '/nyc/c/_search', $body);

    return if $r->{status} == 200 && $r->{content} =~ /"total":0\b/;
    return if $r->{status} == 400 && $r->{content} =~ /"message":"./
              && $r->{content} !~ /sqlite|syntax error|no such|near \\"/i;
    return "$what: $r->{outcome} $r->{status} "
        . substr $r->{content}, 0, 300;
}


my @Sql = ("' OR '1'='1", "'; DROP TABLE d1; --", '" OR ""="', "1) OR (1=1",
    "k') UNION SELECT 1,2,3 --", "?1", ":a", "\$a", '@a', "%", "_%",
    "\\", "\x{27}\\x27", "d1", "sqlite_master", "/**/", "t1\0; DELETE",
    "1;PRAGMA user_version=99", "x'41'", "\x{ff07} OR 1=1");


sub injection {
    my ($name, $server) = @_;

    my @wrong;

    for my $sql (@Sql) {
        my $s = quote($sql);

        # As a value, by each clause that takes one.
        for my $clause (qq({"term":{"k":$s}}), qq({"terms":{"k":[$s,$s]}}),
            qq({"ids":{"values":[$s]}}), qq({"term":{"n":$s}}),
            qq({"prefix":{"k":$s}}), qq({"regexp":{"k":$s}}),
            qq({"fuzzy":{"k":{"value":$s,"fuzziness":0}}}),
            qq({"match_phrase":{"t":$s}}), qq({"match":{"k":$s}}),
            qq({"range":{"d":{"gte":$s}}}), qq({"range":{"n":{"lt":$s}}}),
            qq({"query_string":{"query":$s,"fields":["k"]}}),
            # as a name
            qq({"term":{$s:1}}), qq({"exists":{"field":$s}}),
            qq({"range":{$s:{"gte":1}}}), qq({$s:{"k":1}}),
            qq({"nested":{"path":$s,"query":{"match_all":{}}}}))
        {
            # patterns may well mean something
            next if $sql eq '%' || $sql eq '?1' && $clause =~ /regexp/;
            push @wrong, harmless($server, $clause, qq({"query":$clause}));
        }

        for my $body (qq({"sort":[$s]}), qq({"sort":[{$s:"desc"}]}),
            qq({"_source":[$s]}), qq({"collapse":{"field":$s}}),
            qq({"aggs":{$s:{"terms":{"field":$s}}}}),
            qq({"aggs":{"x":{"terms":{"field":"k","missing":$s}}}}),
            qq({"sort":["k"],"search_after":[$s]}),
            qq({"highlight":{"fields":{$s:{}}}}), qq({$s:1}))
        {
            my $r = ask($server, POST => '/nyc/c/_search', $body);

            push @wrong, "$body: $r->{status} " . substr $r->{content}, 0, 300
                if $r->{status} !~ /^(?:200|400)$/
                   || $r->{content} =~ /sqlite|no such table|syntax error/i;
        }

        # in the path
        my $path = join '', map { sprintf '%%%02x', ord }
            split //, do { my $b = $sql; utf8::encode($b); $b };

        for my $p ("/$path/c/_search", "/nyc/$path/_search",
            "/nyc/c/$path/_create")
        {
            next if $p =~ /%00/;
            my $r = ask($server, POST => $p, '{"n":1}');

            push @wrong, "$p: $r->{status} " . substr $r->{content}, 0, 300
                if $r->{status} >= 500 || $r->{outcome} ne 'answer';

            # an id may be nearly anything: it is that id, and no other
            if ($r->{status} == 200 && $p =~ /_create/) {
                my $d = ask($server, DELETE => "/nyc/c/$path");
                push @wrong, "$p: it is not deleted: $d->{content}"
                    if $d->{status} != 200;
            }
        }
    }

    splice @wrong, 10 if @wrong > 10;
    ok(!@wrong, "$name - nothing is found, nothing breaks")
        or diag(join "\n", @wrong);
}


sub quote {
    my ($s) = @_;
    utf8::encode($s);
    $s =~ s/(["\\])/\\$1/g;
    $s =~ s/([\x00-\x1f])/sprintf '\u%04x', ord $1/ge;
    return qq("$s");
}


sub huge {
    my ($name, $server) = @_;

    my $r = ask($server, POST => '/nyc/c/_search', '{"query":{"term":{"k":"'
        . 'x' x (10 << 20) . '"}}}');
    is("$r->{outcome} $r->{status}", 'answer 413', "$name - 10 MB are refused");

    $r = ask($server, POST => '/nyc/c/_search', '{"query":{"term":{"k":"'
        . 'x' x (3 << 20) . '"}}}');
    like($r->{status}, qr/^(?:200|400)$/, "$name - 3 MB in one value");

    for my $n (60_000, 100_000) {
        my $list = join ',', map { qq("k$_") } 1 .. $n;
        my $t = time;
        my $found = found($server, qq({"query":{"terms":{"k":[$list]}}}));

        is($found, $n > 65536 ? 'refused 400' : 3, "$name - $n terms");
        $found = found($server, qq({"query":{"ids":{"values":[$list]}}}));
        is($found, $n > 65536 ? 'refused 400' : 0, "$name - $n ids");
        ok(time - $t < 5, sprintf '%s - in %.2f s', $name, time - $t);
    }

    is(found($server, '{"query":{"bool":{"should":['
        . join(',', map { qq({"term":{"n":$_}}) } 1 .. 5000) . ']}}}'),
        'refused 400', "$name - 5000 clauses");
    is(found($server, '{"query":{"term":{"' . 'x' x 100_000 . '":1}}}'), 0,
        "$name - a field with a long name");
}


sub explosive {
    my ($name, $server) = @_;

    # Something to match against.
    my $text = 'a' x 5000;
    ask($server, PUT => '/nyc/long', '{"mappings":{"properties":{"k":{'
        . '"type":"keyword"}}}}');
    ask_all($server->port, [map { { method => 'POST',
        path => "/nyc/long/x$_/_create", body => qq({"k":"$text"}) } }
        1 .. 100]);

    for my $re ('(a+)+b', '(a|aa)*b', '(a|a?)+b', '(.*)*b', '((a*)*)*b',
        '(a{0,100}){0,100}b', '(a{1000}){1000}', '.*.*.*.*.*.*.*.*.*b',
        '(((a{100}){100}){100}){100}', '(' x 5000, 'a{99999999999}', '[' ,
        '[z-a]', '\\\\', '(a|b|c|d|e|f)*(a|b|c|d|e|f){50}')
    {
        my $t = time;
        my $r = ask($server, POST => '/nyc/long/_search',
            qq({"query":{"regexp":{"k":"$re"}}}));
        my $short = substr $re, 0, 30;

        ok($r->{status} =~ /^(?:200|400)$/
           || $r->{content} =~ /query_timeout/, "$name - $short")
            or diag("$r->{outcome} $r->{status} ", substr $r->{content}, 0,
                200);
        ok(time - $t < 4, sprintf '%s - %s in %.2f s', $name, $short,
            time - $t);
    }

    for my $w ('*a' x 500 . 'b', '?' x 5000, '*' x 10_000 . 'b') {
        my $t = time;
        my $r = ask($server, POST => '/nyc/long/_search',
            qq({"query":{"wildcard":{"k":"$w"}}}));

        ok($r->{status} =~ /^(?:200|400)$/
           || $r->{content} =~ /query_timeout/, "$name - wildcard");
        ok(time - $t < 4, "$name - wildcard in time");
    }
}


sub deep {
    my ($name, $server) = @_;

    for my $n (30, 33, 200, 5000, 100_000) {
        my $body = '{"query":' . '{"bool":{"must":' x $n
            . '{"match_all":{}}' . '}}' x $n . '}';
        my $got = found($server, $body);

        $n < 32 ? is($got, 3, "$name - bool, $n deep")
                : is($got, 'refused 400', "$name - bool, $n deep");
    }

    for my $open ('[', '{"a":') {
        my $r = ask($server, POST => '/nyc/c/_search', $open x 200_000);
        is("$r->{outcome} $r->{status}", 'answer 400', "$name - $open");
    }

    is(found($server, '{"query":{"nested":{"path":"c","query":' x 40
        . '{"match_all":{}}' . '}}' x 40 . '}'), 'refused 400',
        "$name - nested");
    is(found($server, '{"aggs":{"a":{"terms":{"field":"k"},' x 100
        . '"meta":{}' . '}}' x 100 . '}'), 'refused 400',
        "$name - aggregations");
}


sub numbers {
    my ($name, $server) = @_;

    my @wrong;

    for my $n ('NaN', 'Infinity', '-Infinity', '0x10', '1.', '.5', '+1',
        '01', '1e', '--1')
    {
        my $got = found($server, qq({"query":{"term":{"n":$n}}}));
        push @wrong, "$n: $got" if $got ne 'refused 400';
    }

    for my $n ('1e400', '-1e400', '1e-400', '9223372036854775808',
        '-9223372036854775809', '1' . '0' x 5000, '"NaN"', '"Infinity"',
        '"1e400"', '1.25', '2147483648', '1e308', '-0', '0.' . '1' x 5000)
    {
        for my $field (qw(n f d)) {
            push @wrong, harmless($server, "$field $n",
                qq({"query":{"term":{"$field":$n}}}));
        }

        for my $body (qq({"query":{"range":{"n":{"gte":$n}}}}),
            qq({"query":{"range":{"f":{"lt":$n,"gt":$n}}}}),
            qq({"from":$n}), qq({"size":$n}), qq({"min_score":$n}),
            qq({"sort":["n"],"search_after":[$n]}),
            qq({"sort":[{"n":{"missing":$n}}]}),
            qq({"query":{"term":{"k":{"value":"k1","boost":$n}}}}),
            qq({"aggs":{"x":{"histogram":{"field":"f","interval":$n}}}}),
            qq({"aggs":{"x":{"terms":{"field":"k","size":$n}}}}))
        {
            my $r = ask($server, POST => '/nyc/c/_search', $body);

            push @wrong, "$body: $r->{outcome} $r->{status} "
                . substr $r->{content}, 0, 200
                if $r->{status} !~ /^(?:200|400)$/;

            # whatever is answered is JSON
            push @wrong, "$body: not JSON"
                if !eval { json_decode($r->{content}); 1 }
                   || $r->{content} =~ /:(?:-?inf|-?nan)/i;
        }
    }

    splice @wrong, 10 if @wrong > 10;
    ok(!@wrong, "$name - found or refused") or diag(join "\n", @wrong);

    is(found($server, '{"query":{"range":{"n":{"lte":1e400}}}}') =~
        /^(?:3|refused 400)$/, 1, "$name - nothing is above 1e400");
    is(found($server, '{"query":{"range":{"f":{"gte":-1e308}}}}'), 3,
        "$name - nothing is below -1e308");
}


sub names {
    my ($name, $server) = @_;

    my $id = 'i' x 512;

    is(ask($server, POST => "/nyc/c/$id/_create", '{}')->{status}, 200,
        "$name - an id of 512 bytes");
    is(ask($server, GET => "/nyc/c/$id")->{status}, 200, "$name - is there");
    is(ask($server, DELETE => "/nyc/c/$id")->{status}, 200, "$name - is gone");
    is(ask($server, POST => "/nyc/c/${id}i/_create", '{}')->{status}, 400,
        "$name - 513 are too many");
    is(ask($server, POST => '/nyc/c/' . '%c3%a9' x 256 . '/_create', '{}')
        ->{status}, 200, "$name - 256 characters of two bytes");
    is(ask($server, DELETE => '/nyc/c/' . '%c3%a9' x 256)->{status}, 200,
        "$name - are gone");
    is(ask($server, POST => '/nyc/c/' . '%c3%a9' x 257 . '/_create', '{}')
        ->{status}, 400, "$name - 257 are too many");

    my @wrong;

    for my $c (split(//, '\\/*?"<>| ,#:%&'), "\0", "\x7f", "\n", "\t", 'A',
        "\xc3\xa9")
    {
        my $hex = join '', map { sprintf '%%%02x', ord } split //, $c;

        for my $n ("a${hex}b") {
            for my $path ("/$n/_create", "/nyc/$n") {
                my $r = ask($server, ($path =~ /_create/ ? 'POST' : 'PUT')
                    => $path, '{}');

                # these may be in a name
                next if $c =~ /[\x7f\n\t\xc3]/ && $r->{status} == 200;
                push @wrong, "$path: $r->{status} "
                    . substr $r->{content}, 0, 200 if $r->{status} !~ /^40/;
            }
        }
    }

    for my $n ('_all', '+a', '.', '..', 'a' x 127, 'a' x 1000) {
        for my $path ("/$n/_create", "/nyc/$n") {
            my $r = ask($server, ($path =~ /_create/ ? 'POST' : 'PUT')
                => $path, '{}');

            push @wrong, "$path: $r->{status} "
                . substr $r->{content}, 0, 200 if $r->{status} !~ /^40/;
        }
    }

    splice @wrong, 10 if @wrong > 10;
    ok(!@wrong, "$name - what is forbidden is refused")
        or diag(join "\n", @wrong);
}

__DATA__

=== TEST 1: SQL in every name and value
--- calls: injection


=== TEST 2: large queries
--- calls: huge


=== TEST 3: patterns that explode
--- kuzzle_config
    query_timeout 2s;
--- calls: explosive


=== TEST 4: deep ones
--- calls: deep


=== TEST 5: numbers
--- calls: numbers


=== TEST 6: ids and names
--- calls: names
