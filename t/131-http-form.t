# Forms: application/x-www-form-urlencoded and multipart/form-data become the
# body of a query.  Each is read back as the document it was stored as.

use Test::Nginx::Kuzzle;

use Compress::Zlib ();

our $Form = 'Content-Type: application/x-www-form-urlencoded';
our $Multipart = 'Content-Type: multipart/form-data; boundary=BB';

# A part: what stands behind "form-data; ", and its content.

sub part {
    my ($headers, $content) = @_;

    return "--BB\r\nContent-Disposition: form-data; $headers\r\n\r\n"
        . "$content\r\n";
}

# A multipart in a part of a multipart, n deep.

sub nested {
    my ($n) = @_;

    return 'core' if !$n;

    return "--N$n\r\nContent-Disposition: form-data; name=n$n\r\n"
        . "Content-Type: multipart/mixed; boundary=N" . ($n - 1)
        . "\r\n\r\n" . nested($n - 1) . "\r\n--N$n--";
}

# Requests that make a collection, store each of the bodies as a document of
# its own and read it; and the headers that go with them.

sub stored {
    my (@bodies) = @_;

    my $n = 0;

    return ['POST /i/_create', 'PUT /i/c',
        map { $n++; ["PUT /i/c/d$n\n", $_], "GET /i/c/d$n" } @bodies];
}

sub headers {
    my ($header, $n) = @_;

    return ['A: b', 'A: b', map { $header, 'A: b' } 1 .. $n];
}

# What is read back: the sources, between what is not of interest.

sub sources {
    return [undef, undef, map { undef, qq({"result":{"_source":$_}}) } @_];
}

our $Two = "location / {\n    kuzzle;\n    kuzzle_api 2;\n}\n";

run_tests();

__DATA__

=== TEST 1: urlencoded: strings
--- request eval
::stored('a=1&b=two+words&c=%22%5C%26', 'a', 'a=&&b', '__proto__=x&constructor=y')
--- more_headers eval
::headers($::Form, 4)
--- kuzzle_reply eval
::sources('{"a":"1","b":"two words","c":"\"\\\\&"}', '{"a":""}', '{"a":"","b":""}',
    '{"__proto__":"x","constructor":"y"}')


=== TEST 2: a repeated name: the last one wins
--- request eval
::stored('a=1&b=2&a=3')
--- more_headers eval
::headers($::Form . '; charset=utf-8', 1)
--- kuzzle_reply eval
::sources('{"a":"=3","b":"2"}')


=== TEST 3: generation 2 makes a list of it
--- config eval: $::Two
--- request eval
::stored('a=1&b=2&a=3')
--- more_headers eval
::headers($::Form . '; charset=utf-8', 1)
--- kuzzle_reply eval
::sources('{"a":["1","3"],"b":"2"}')


=== TEST 4: escapes that are none stay, bytes that are not UTF-8 do not
--- request eval
::stored('a=%zz%4&%=%', 'a=%00', 'a=%c0%80', "a=\xff%e2%82", 'a=%c3%a9')
--- more_headers eval
::headers($::Form, 5)
--- kuzzle_reply eval
::sources('{"a":"%zz%4","%":"%"}', '{"a":"\u0000"}', '{"a":"\ufffd\ufffd"}',
    '{"a":"\ufffd\ufffd"}', '{"a":"\u00e9"}')


=== TEST 5: a thousand fields, and one more
--- request eval
["POST /i/c/_create\n" . join('&', map { "f$_=1" } 1 .. 1000),
 "POST /i/c/_create\n" . join('&', map { "f$_=1" } 1 .. 1001),
 "POST /i/c/_create\n" . join('&', map { "f$_=1" } 1 .. 100000)]
--- more_headers eval
$::Form
--- error_code eval
[412, 400, 400]
--- kuzzle_reply eval
['{"status":412}',
 ('{"message":"Caught an unexpected HTTP error: too many form fields","status":400,"id":"network.http.unexpected_error","-":["action"]}') x 2]


=== TEST 6: zeros that would become a large text are refused
--- request eval
"POST /i/c/_create\na=" . "\0" x 500000
--- more_headers eval
$::Form
--- error_code: 413
--- kuzzle_reply
{"id":"network.http.request_too_large"}


=== TEST 7: an encoded form
--- request eval
::stored(Compress::Zlib::memGzip('a=1&b=2'))
--- more_headers eval
::headers("$::Form\nContent-Encoding: gzip", 1)
--- kuzzle_reply eval
::sources('{"a":"1","b":"2"}')


=== TEST 8: multipart: fields and files, generation 1
--- request eval
::stored(
    ::part('name="name"', 'multi') . ::part('name="age"', '12') . "--BB--\r\n",
    ::part("name=\"f\"; filename=\"a.txt\"\r\nContent-Type: text/plain", 'hello file') . '--BB--',
    ::part("name=\"f\"; filename=\"C:\\\\x\\\\a.png\"\r\nContent-Type: Image/PNG; x=y\r\nContent-Transfer-Encoding: Binary", "\xff\0\xfe") . '--BB--',
    ::part("name=f\r\nContent-Type: application/octet-stream", 'a') . '--BB--',
    ::part('name=f; filename=""', 'ab') . '--BB--')
--- more_headers eval
::headers($::Multipart, 5)
--- kuzzle_reply eval
::sources('{"name":"multi","age":"=12"}',
    '{"f":{"filename":"a.txt","encoding":"7bit","mimetype":"text/plain","file":"aGVsbG8gZmlsZQ=="}}',
    '{"f":{"filename":"a.png","encoding":"binary","mimetype":"image/png","file":"/wD+"}}',
    '{"f":{"encoding":"7bit","mimetype":"application/octet-stream","file":"YQ==","-":["filename"]}}',
    '{"f":{"filename":"","encoding":"7bit","mimetype":"text/plain","file":"YWI="}}')


=== TEST 9: and generation 2
--- config eval: $::Two
--- request eval
::stored(
    ::part('name="name"', 'multi') . ::part('name="age"', '12') . "--BB--\r\n",
    ::part("name=\"f\"; filename=\"a.txt\"\r\nContent-Type: text/plain", 'hello file') . '--BB--',
    ::part("name=f\r\nContent-Type: application/octet-stream", 'a') . '--BB--',
    ::part('name=f; filename=""', 'ab') . '--BB--',
    ::part('name=f; filename=x', '') . '--BB--')
--- more_headers eval
::headers($::Multipart, 5)
--- kuzzle_reply eval
::sources('{"name":"multi","age":"=12"}',
    '{"f":{"encoding":"text/plain","file":"aGVsbG8gZmlsZQ==","filename":"a.txt","-":["mimetype"]}}',
    '{"f":"a"}', '{"f":"ab"}', '{"f":{"file":"","filename":"x","-":["encoding"]}}')


=== TEST 10: the order of the members is Kuzzle's
--- config
location / {
    kuzzle;
}
location /two {
    rewrite ^/two(.*) $1 break;
    kuzzle;
    kuzzle_api 2;
}
--- request eval
['POST /i/_create', 'PUT /i/c',
 ["PUT /i/c/x\n", ::part("name=f; filename=a\r\nContent-Type: b/c", 'x') . '--BB--'],
 ["PUT /two/i/c/x\n", ::part("name=f; filename=a\r\nContent-Type: b/c", 'x') . '--BB--']]
--- more_headers eval
$::Multipart
--- response_body_like eval
['', '', '"f":\{"filename":"a","encoding":"7bit","mimetype":"b/c","file":"eA=="\}',
 '"f":\{"encoding":"b/c","file":"eA==","filename":"a"\}']


=== TEST 11: what is no text in a field, what looks like a delimiter
--- request eval
::stored(
    ::part('name=a', "\xc0\x80\xff") . ::part('name=z', "\0") . '--BB--',
    ::part('name=a', "x--BB\r\n--BBB\r\n-BB--\r\n--BB x") . '--BB--',
    "preamble\r\n" . ::part('name="a;\"b\""', '1') . "--BB--\r\nepilogue\r\n--BB",
    ::part('name=a', '1') . ::part('name=a', '2') . '--BB--',
    ::part('name=__proto__', 'x') . '--BB--')
--- more_headers eval
::headers($::Multipart, 5)
--- kuzzle_reply eval
::sources('{"a":"\ufffd\ufffd\ufffd","z":"\u0000"}',
    '{"a":"=x--BB\r\n--BBB\r\n-BB--\r\n--BB x"}',
    '{"a;\"b\"":"=1"}', '{"a":"=2"}', '{"__proto__":"x"}')


=== TEST 12: a multipart in a multipart is a text, 20 levels deep too
--- request eval
::stored(::nested(20))
--- more_headers eval
::headers('Content-Type: multipart/form-data; boundary=N20', 1)
--- kuzzle_reply eval
use JSON::PP ();
my ($inner) = ::nested(20) =~ /\A.*?\r\n\r\n(.*)\r\n--N20--\z/s;
::sources(JSON::PP->new->encode({ n20 => "=$inner" }))


=== TEST 13: nothing but an end
--- request eval
::stored("--BB--\r\n")
--- more_headers eval
::headers($::Multipart, 1)
--- kuzzle_reply eval
::sources('{}')


=== TEST 14: no boundary, no end, no name, no headers
--- request eval
["POST /i/c/_create\nx", "POST /i/c/_create\n--BB",
 ["POST /i/c/_create\n", ::part('name=a', '1')],
 ["POST /i/c/_create\n", "--BB\r\nX: y\r\n\r\n1\r\n--BB--"],
 ["POST /i/c/_create\n", "--BB\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--BB--"],
 ["POST /i/c/_create\n", "--BB\r\nContent-Disposition: form-data; name=a\r\n--BB\r\n\r\n--BB--"],
 ["POST /i/c/_create\n", "--BB\r\nX: " . 'y' x 9000 . "\r\n\r\n--BB--"]]
--- more_headers eval
['Content-Type: multipart/form-data', ($::Multipart) x 6]
--- error_code eval
[(400) x 7]
--- kuzzle_reply eval
[map { '{"message":"=Caught an unexpected HTTP error: ' . $_ . '","status":400,"id":"network.http.unexpected_error","-":["action"]}' }
 'Multipart: Boundary not found', 'Unexpected end of multipart data',
 'Unexpected end of multipart data', 'Multipart: part without a name',
 'Multipart: part is no form-data', 'Multipart: malformed part header',
 'Multipart: part header too long']


=== TEST 15: generation 2 says the same
--- config eval: $::Two
--- request eval
["POST /i/c/_create\nx", "POST /i/c/_create\nx"]
--- more_headers eval
['Content-Type: multipart/form-data', 'Content-Type: multipart/mixed; boundary=x']
--- error_code eval
[400, 400]
--- kuzzle_reply
{"id":"network.http.unexpected_error","props":["Multipart: Boundary not found"]}
{"id":"network.http.unsupported_content","props":["multipart/mixed; boundary=x"]}


=== TEST 16: a file over the limit
--- config
location / {
    kuzzle;
    kuzzle_max_form_file_size 10;
}
location /two {
    rewrite ^/two(.*) $1 break;
    kuzzle;
    kuzzle_api 2;
    kuzzle_max_form_file_size 10;
}
--- request eval
[["POST /i/c/_create\n", ::part('name=f; filename=a', 'x' x 10) . '--BB--'],
 ["POST /i/c/_create\n", ::part('name=f; filename=a', 'x' x 11) . '--BB--'],
 ["POST /i/c/_create\n", ::part('name=f', 'x' x 11) . '--BB--'],
 ["POST /two/i/c/_create\n", ::part('name=f; filename=a', 'x' x 11) . '--BB--']]
--- more_headers eval
$::Multipart
--- error_code eval
[412, 413, 412, 413]
--- response_body_like eval
['.', '^\{"message":"Maximum HTTP file size exceeded","status":413,"id":"network.http.file_too_large","code":50397197\}$',
 '.', '^\{"code":50397197,"id":"network.http.file_too_large","message":"Maximum HTTP file size exceeded","props":\[\],"status":413\}$']


=== TEST 17: many parts
--- request eval
[["POST /i/c/_create\n", join('', map { ::part("name=f$_", $_) } 1 .. 1000) . '--BB--'],
 ["POST /i/c/_create\n", join('', map { ::part("name=f$_", $_) } 1 .. 1001) . '--BB--']]
--- more_headers eval
$::Multipart
--- error_code eval
[412, 400]
--- response_body_like eval
['.', 'too many form fields']


=== TEST 18: byte by byte
--- raw_request eval
my $body = ::part('name=a', '1') . '--BB--';
[split //, "POST /i/_create HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n$::Multipart\r\nContent-Length: " . length($body) . "\r\n\r\n$body"]
--- raw_request_middle_delay: 0.001
--- kuzzle_reply
{"status":200,"index":"i"}


=== TEST 19: a form that lies in a file
--- config
location / {
    mirror /sink;
    client_body_buffer_size 1k;
    kuzzle;
}
location = /sink {
    internal;
    return 204;
}
--- request eval
::stored(::part('name=a', 'x' x 20000) . ::part('name=b', 'y') . '--BB--')
--- more_headers eval
::headers($::Multipart, 1)
--- kuzzle_reply eval
::sources('{"b":"y"}')
