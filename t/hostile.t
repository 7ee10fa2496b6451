# Hostile requests: each gets the status HTTP has for it, none gets 500, none
# sees its own markup again, none is remembered, and all others are served on.

use strict;
use warnings;
no warnings 'qw'; # commas
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Uncompress::Gunzip ();
use Test::More;
use Cardfeed::Feed;
use Cardfeed::Response;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(
    http => <<'CONF',
lingering_timeout 100ms;
log_format ours '$status|$cardfeed_cache_status|$cardfeed_entries|'
    '$cardfeed_selection|$cardfeed_format|$request';
CONF
    server => <<'CONF');
access_log {{DIR}}/access.log ours;

location ~ (?s)^/tags/(?<tag>.*)$ {
    cardfeed news;
    cardfeed_topic $tag;
    cardfeed_format rss;
}
location ~ (?s)^/select/(?<sel>.*)$ {
    cardfeed news;
    cardfeed_select $sel;
    cardfeed_format atom;
}
location ~ ^/own/ {
    cardfeed news;
    cardfeed_format html;
}
location = /args {
    cardfeed news;
    cardfeed_args "type=$arg_type";
    cardfeed_format html;
}
CONF

for my $n (1 .. 20) {
    $t->card("$n.md", {title => "card-$n", date => "2021-01-$n",
        topics => ['A', 'B', "Caf\x{e9}", $n % 2 ? 'K' : "\x{5e9}"],
        author => 'Jane', type => 'article',
        webUrl => "https://example.org/$n"}) if $n > 9;
}
$t->start;
my $base = $t->base;
my @workers = $t->workers;

# A readable name of a request.
sub short {
    my ($text) = @_;
    $text =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
    return length $text > 70 ? substr($text, 0, 70) . '…' : $text;
}

# The status, and what holds for every response.
sub is_answer {
    my ($res, $want, $what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $what = short($what);
    my @wrong;
    push @wrong, 'status ' . $res->status
        if $res->status !~ /^(?:$want)$/;
    push @wrong, 'markup of the request in the body'
        if $res->body =~ /<script|<svg|["'\s]onload=/i;
    push @wrong, 'a header of the request\'s'
        if defined($res->header('X-Evil') // $res->header('Set-Cookie'));
    push @wrong, 'Link: ' . $res->header('Link')
        if defined $res->header('Link')
        && $res->header('Link') !~ /^<[!#-;=?-~]+>; rel="self"$/;
    push @wrong, 'a self link that is not ours'
        if defined $res->header('Link')
        && $res->header('Link') !~ /^<\Q$base\E\//;
    push @wrong, 'kept by caches'
        if $res->status >= 400
        && ($res->header('Cache-Control') // '') =~ /public|max-age/;
    return ok(!@wrong, "$what: $want") || diag join ', ', @wrong;
}

sub get_is {
    my ($uri, $want, %header) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $res = $t->get($uri, %header);
    is_answer($res, $want, join ' ', $uri, %header);
    return $res;
}

# --- selections that name nothing: 404 in every form and place

my $script = '%3Cscript%3Ealert(1)%3C/script%3E';
my %selections = (
    'empty' => '', 'a dot' => '.', 'a blank' => '%20', 'a plus' => '+',
    'a comma' => ',', 'a bang' => '!', 'bangs' => '!!a', 'a star' => '*',
    'percent' => '%25', 'twice encoded' => '%2561', 'quotes' => '%22a%22',
    'empty terms' => 'a+%2Bb', 'an encoded plus twice' => 'a%252Bb',
    'a trailing plus' => 'a+', 'a trailing comma' => 'a,',
    'semicolon' => 'a;b', 'backslash' => 'a%5Cb', 'pipe' => 'a%7Cb',
    'braces' => '%7B%7Ba%7D%7D', 'a variable' => '$a', 'hash' => 'a%23',
    'upper case' => 'A', 'upper case all' => 'ALL', 'mixed case' => 'a+B',
    'all as a topic' => 'topic-all', 'dashes' => '-', 'a dash before' => '-a',
    'a dash behind' => 'a-', 'a line' => 'a%0d%0aX-Evil:%20x',
    'tab' => 'a%09', 'delete' => 'a%7F', 'bell' => '%07',
    'script' => $script =~ s{/}{}r,
    'an attribute' => '%22%3E%3Csvg%20onload=x',
    # the same to the eye
    'fullwidth a' => '%EF%BD%81', 'fullwidth plus' => 'a%EF%BC%8Bb',
    'fullwidth comma' => 'a%EF%BC%8Cb', 'fullwidth bang' => '%EF%BC%81a',
    'decomposed' => 'cafe%CC%81', 'combining on a' => 'a%CC%81',
    'cyrillic a' => '%D0%B0', 'kelvin' => '%E2%84%AA',
    'dotless i' => '%C4%B1', 'superscript' => '%E1%B5%83',
    'mathematical a' => '%F0%9D%90%9A', 'circled a' => '%E2%93%90',
    # invisible
    'zero width space' => 'a%E2%80%8B', 'zero width joiner' => 'a%E2%80%8D',
    'right-to-left mark' => '%E2%80%8Fa',
    'right-to-left override' => '%E2%80%AEa',
    'byte order mark' => '%EF%BB%BFa', 'soft hyphen' => 'a%C2%AD',
    'word joiner' => 'a%E2%81%A0', 'no-break space' => 'a%C2%A0',
    'variation selector' => 'a%EF%B8%8F', 'a tag' => 'a%F3%A0%81%81',
    'hangul filler' => '%E1%85%9F', 'line separator' => 'a%E2%80%A8',
    # no UTF-8
    'overlong slash' => '%C0%AF', 'overlong a' => '%C1%A1',
    'overlong in three' => '%E0%81%A1', 'overlong in four' => '%F0%80%81%A1',
    'a surrogate' => '%ED%A0%80', 'beyond Unicode' => '%F4%90%80%80',
    'cut short' => 'caf%C3', 'a continuation' => '%A9', 'latin-1' => 'caf%E9',
    'ff' => '%FF', 'a noncharacter' => '%EF%BF%BF',
    # long
    'a slug of 2 KB' => 'a' x 2049, 'a slug of 7 KB' => 'a' x 7000,
    '17 terms' => join('+', ('a') x 17), '100 terms' => join('+', ('a') x 100),
    '17 alternatives' => join(',', ('a') x 17),
    '100 alternatives' => join(',', ('a') x 100),
    '300 marks' => 'a' . '%CC%81' x 300, '900 pluses' => '+' x 900,
);
# A name is not a slug: these are spellings of a topic's name, or of all.
my %spelling = map { $_ => 1 } 'empty', 'a dot', 'a dash before',
    'a dash behind', 'a tag', 'a trailing comma', 'a variable', 'bangs',
    'braces', 'byte order mark', 'circled a', 'decomposed', 'delete',
    'fullwidth a', 'fullwidth bang', 'kelvin', 'line separator',
    'mathematical a', 'no-break space', 'quotes', 'right-to-left mark',
    'right-to-left override', 'soft hyphen', 'superscript', 'tab',
    'upper case', 'upper case all', 'variation selector', 'word joiner',
    'zero width joiner', 'zero width space';
for my $name (sort keys %selections) {
    my $sel = $selections{$name};
    for my $uri ("/feeds/$sel.rss", "/feeds/$sel.html", "/select/$sel") {
        my $res = $t->get($uri);
        is_answer($res, 404, "$name: $uri");
        is $res->header('Cache-Control'), 'no-store', "$name: not cached";
    }
    is_answer($t->get("/tags/$sel"), $spelling{$name} ? 200 : 404,
        "$name as a name");
}

# --- paths and formats

my %paths = (
    (map { $_ => 404 } '/feeds/a', '/feeds/a.', '/feeds/.rss', '/feeds/a.RSS',
        '/feeds/a.rss.rss', '/feeds/a..rss', '/feeds/a.rss/', '/feeds/a.rss/x',
        '/feeds/a.rss;x=y', '/feeds/a%2Fb.rss', '/feeds/a/b.rss',
        '/feeds/a.opml', '/feeds/!all.opml', '/feeds/a.xml', '/feeds/a.php',
        '/feeds/a.rss%20', '/feeds/a.rss%0a', '/feeds/a.%72ss%2e',
        '/feeds/a.r%C5%BFs', '/feeds/..%2Fa.rss', '/feeds/%2e%2e/a.rss',
        "/feeds/$script", "/feeds/$script.html", "/feeds/a.$script",
        '/feeds/<script>.html', '/feeds/a.<script>', '/feeds/"><svg.html',
        '/feeds/all.opml.opml', '/feeds/all.OPML'),
    (map { $_ => 200 } '/feeds/a.rss', '/feeds//a.rss', '/feeds/./a.rss',
        '/feeds/x/../a.rss', '/feeds/x/%2e%2e/a.rss', '/feeds/x%2F..%2Fa.rss',
        '/feeds/%61.r%73s', '/feeds/a%2Erss', '/feeds/a%2Bb.rss',
        '/feeds/a.rss#<script>', '/feeds/a.rss?', '/feeds/a.rss??',
        '/feeds/caf%C3%A9.rss', "/feeds/caf\xc3\xa9.rss", '/feeds/a,a,a.rss',
        '/feeds/a+!a.rss', '/feeds/!all.html', '/feeds/all.opml',
        '/feeds/?from=' . $script, '/feeds/all.opml?from=%22%3E%3Csvg',
        '/feeds/' . join('+', ('a', '!b') x 8) . '.rss',
        '/feeds/' . join(',', map { "a+!k+b" } 1 .. 16) . '.rss',
        "/own/$script", '/own/"><svg/onload=x>', '/own/' . 'x' x 7000,
        '/own/%E2%80%AE%FF%C0%AF', "/own/?a=$script&type=$script",
        "/args?type=$script", '/args?type=%22%3E%3Csvg'),
    # nginx's own
    (map { $_ => 400 } '/feeds/a%00.rss', '/feeds/%', '/feeds/%zz.rss',
        '/feeds/a%2', '/feeds/../../etc/passwd', '/../a.rss'),
    '/feeds/' . 'a' x 9000 . '.rss' => 414,
    '/feeds/a.rss?' . 'x=y&' x 3000 => 414,
    '/feeds/?from=' . 'a' x 1000 => 400, '/feeds/?from=%00' => 400,
    '/feeds/?from=%FF' => 400,
);
for my $uri (sort keys %paths) {
    my $res = get_is($uri, $paths{$uri});
    is_answer($t->head($uri), $res->status, "HEAD $uri");
    is_answer($t->request('POST', $uri), 405, "POST $uri")
        if $res->status == 200;
}
is self_of($t->get('/own/<script>"\'%22')),
    "$base/own/%3Cscript%3E%22'%22", 'a self link is a URL';

sub self_of {
    my ($res) = @_;
    return ($res->header('Link') // '') =~ /^<([^>]*)>/ ? $1 : undef;
}

# --- arguments

my @args = (
    (map { ["limit=$_", 400] } 0, -1, '1e9', 'NaN', '0x10', '+5', '%2B5', '',
        '5%20', '%205', '5%00', '5.0', '1=2', '%EF%BC%95', '%D9%A5', 'all',
        '1,2', '00', '%', '1%', '%zz', $script, '1&limit=0', '0&limit=1',
        '-' . '9' x 400),
    ['limit', 400], ['%6Cimit=0', 400], ['x=1&limit=0&x', 400],
    (map { ["limit=$_", 200] } 1, '01', '000005', '1000000000',
        '99999999999999999999', '9' x 2000, '%35'),
    ['limit=' . '9' x 4000, 400],
    (map { [$_, 200] } 'Limit=0', 'LIMIT=-1', 'limit[]=0', 'limit%00=0',
        ';limit=0', 'x;limit=0', '?limit=0', '&&&', '=', '=&=', '%', '%zz=1',
        '%FF=%FF', 'a' x 4000, '&' x 4000, "$script=$script", '<script>=1',
        'callback=alert', 'x' x 65 . '=limit', 'lim%E2%80%8Bit=0'),
    # cursors: forged ones are places, or nothing
    (map { ["before=$_", 200] } '0.0000000000000000', '1.0000000000000000',
        '-1.ffffffffffffffff', '1611000000.0123456789abcdef',
        '253402300799.ffffffffffffffff', '-62135596800.0000000000000000'),
    (map { ["before=$_", 400] } '', '.', '1', '1.', '.0000000000000000',
        '1.0', '1.000000000000000g', '1.000000000000000A',
        '1.00000000000000000', '01.0000000000000000', '-0.0000000000000000',
        '+1.0000000000000000', '253402300800.0000000000000000',
        '-62135596801.0000000000000000', '9' x 400 . '.0000000000000000',
        '1.0000000000000000.', '1.0000000000000000%00', '1e3.0000000000000000',
        '0x1.0000000000000000', $script, '2021-01-01'),
    # months
    (map { ["month=$_", 400] } '2021-13', '2021-00', '2021-1', '2021-001',
        '21-01', '2021', '2021-01-01', '2021/01', '202101', '-2021-01',
        '12021-01', '0000-01', '%202021-01', '2021-01%00', '2021-0x', $script,
        '%EF%BC%92021-01'),
    (map { ["month=$_", 404] } '9999-12', '2100-01'),
    (map { ["month=$_", 200] } '', '0001-01', '1969-12', '2021-01',
        '2021-01&before=253402300799.ffffffffffffffff',
        '2021-01&before=-62135596800.0000000000000000'),
    # filters
    (map { [$_, 400] } 'type=,', 'type=!', 'type=%00', 'type=%FF',
        'type=%C0%AF', 'author=%ED%A0%80', 'type=%', 'type=a,,b',
        'type=' . join(',', 1 .. 17), 'author=' . 'a' x 2049,
        'since=2021-02-30', 'since=tomorrow', 'since=0', 'since=' . $script,
        'min_heat=1e3', 'min_heat=%EF%BC%95', 'min_quality=--1',
        'min_quality=0x1', 'author=%7F', 'from=' . 'a' x 1000),
    (map { [$_, 200] } "type=$script", "author=$script&provider=$script",
        'type=%E2%80%AEelcitra', 'type=!!a', 'type=a,!a', 'type=!a,!a,!a',
        'author=%22%3E%3Csvg%20onload=x', 'min_heat=' . '9' x 400,
        'min_heat=-' . '9' x 400, 'since=9999-12-31', 'since=0001-01-01',
        'type=' . 'a' x 2048, 'category=' . join(',', map { "!$_" } 1 .. 16),
        'since=2021-01-01T00:00:00.999999999999999999Z',
        'author=a%0d%0aX-Evil:%20x'),
);
for my $case (@args) {
    my ($args, $want) = @$case;
    get_is("/feeds/a.$_?$args", $want) for qw(rss html);
    get_is("/own/x?$args", $want);
}
# Unknown ones change nothing, and have no part in what a feed is called.
my $plain = $t->get('/feeds/a.rss');
for my $args ("x=$script", 'Limit=1', 'utm_source=x&a&b=', '&&') {
    my $res = $t->get("/feeds/a.rss?$args");
    is $res->header('ETag'), $plain->header('ETag'), "$args: the same feed";
    is $res->body, $plain->body, "$args: the same bytes";
}

# A stale cursor: the card it names is gone, its place is not.
my ($cursor) = $t->get('/feeds/a.rss?limit=3')->body
    =~ /(before=[0-9]+\.[0-9a-f]{16})/;
my @next = titles("/feeds/a.rss?$cursor");
$t->remove('18.md');
$t->wait_titles('a', qr/^(?!.*card-18\b)/, 'the card of a cursor goes');
is_deeply [titles("/feeds/a.rss?$cursor")], \@next, 'a stale cursor';

sub titles { $t->get($_[0])->body =~ m{<title>(card-\d+)<}g }

# --- methods, request lines, versions

$plain = $t->get('/feeds/a.rss');
my $host = "Host: localhost:" . $t->port . "\r\n";
my $end = "Connection: close\r\n\r\n";
my $is_plain = sub {
    my ($res, $what) = @_;
    is_answer($res, 200, $what);
    is $res->body, $plain->body, short("$what: the feed");
};

is_answer($t->request($_, '/feeds/a.rss'), 405, $_)
    for qw(POST PUT DELETE OPTIONS PATCH PROPFIND TRACE CONNECT FOO_BAR);
is_answer($t->request($_, '/feeds/a.rss'), 400, "$_ is no method of nginx's")
    for 'get', 'GET\\', '<script>';
is_answer($t->request('OPTIONS', '*'), 400, 'OPTIONS *');
is_answer($t->request('GET', '*'), 400, 'GET *');
is_answer($t->request('GET', 'feeds/a.rss'), 400, 'no slash');

for my $target ("$base/feeds/a.rss", 'http://evil.example.com/feeds/a.rss',
    'https://evil.example.com:1/feeds/a.rss', 'HTTP://LOCALHOST/feeds/a.rss')
{
    $is_plain->($t->request('GET', $target), "GET $target");
    $is_plain->($t->request('GET', $target, Host => 'evil.example.org'),
        "GET $target, another Host");
}
is self_of($t->request('GET', 'http://evil.example.com/own/x')),
    "$base/own/x", 'an absolute target says nothing of the host';
is_answer($t->request('GET', 'http:///feeds/a.rss'), 400,
    'a target without a host');

$is_plain->($t->raw("GET /feeds/a.rss HTTP/1.0\r\n\r\n"), 'HTTP/1.0');
$is_plain->($t->raw("GET /feeds/a.rss HTTP/1.0\nHost: x\n\n"),
    'HTTP/1.0, bare newlines');
is_answer($t->raw("HEAD /feeds/a.rss HTTP/1.0\r\n\r\n"), 200,
    'HEAD in HTTP/1.0');
is_answer($t->raw("GET /feeds/zz.rss HTTP/1.0\r\n\r\n"), 404,
    '404 in HTTP/1.0');
my $old = $t->raw("GET /feeds/a.rss\r\n");
is join("\r\n\r\n", $old->head), (split /\r\n\r\n/, $plain->body)[0],
    'HTTP/0.9: the feed and nothing else';
unlike $t->raw("GET /feeds/<script>.html\r\n")->head, qr/<script/,
    'HTTP/0.9: what is not there';
is_answer($t->raw("GET /feeds/a.rss HTTP/2.0\r\n$host$end"), 505, 'HTTP/2.0');
is_answer($t->raw("GET /feeds/a.rss HTTP/x\r\n$host$end"), 400, 'HTTP/x');

# --- bodies

$is_plain->($t->raw("GET /feeds/a.rss HTTP/1.1\r\n${host}Content-Length: 9\r\n"
    . "${end}123456789"), 'a GET with a body');
$is_plain->($t->raw("GET /feeds/a.rss HTTP/1.1\r\n$host"
    . "Transfer-Encoding: chunked\r\n${end}3\r\nabc\r\n0\r\n\r\n"),
    'a GET with chunks');
is_answer($t->raw("GET /feeds/a.rss HTTP/1.1\r\n${host}Content-Length: -1\r\n"
    . $end), 400, 'a negative length');
is_answer($t->raw("GET /feeds/a.rss HTTP/1.1\r\n${host}Content-Length: 3\r\n"
    . "Transfer-Encoding: chunked\r\n${end}0\r\n\r\n"), 400, 'two lengths');
is_answer($t->raw("GET /feeds/a.rss HTTP/1.1\r\n$host"
    . "Transfer-Encoding: chunked\r\n${end}zz\r\n"), 400,
    'chunks that are none');
is_answer($t->raw("GET /feeds/a.rss HTTP/1.1\r\n$host"
    . "Content-Length: 99999999\r\n$end"), 413, 'more than nginx takes');

# What follows a body on the same connection is the next request.
my $all = $t->raw("GET /feeds/a.rss HTTP/1.1\r\n${host}Content-Length: 3\r\n"
    . "\r\nabcGET /feeds/zz.rss HTTP/1.1\r\n$host\r\n"
    . "POST /feeds/a.rss HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabc"
    . "HEAD /feeds/a.rss HTTP/1.1\r\n$host\r\n"
    . "GET /feeds/b.rss HTTP/1.1\r\n$host$end");
is join(' ', ($all->head . "\n" . $all->body) =~ m{HTTP/1\.1 (\d+)}g),
    '200 404 405 200 200', 'five requests at once, five answers';

# --- headers

# (nginx's versions differ in what they take; what they take says nothing.)
for my $name ('evil.example.com', '<script>', '"><svg', 'a' x 4000, '*',
    '[::1]', 'localhost:99999', 'xn--a', '..', 'a..b', '%00', "\xff\xfe", '_',
    'localhost.', 'LOCALHOST', '127.0.0.1')
{
    my $res = $t->get('/feeds/a.html', Host => $name);
    is_answer($res, '200|400', "Host: $name");
    unlike $res->body, qr/evil\.example/, short("Host: $name: not to be seen");
}
is_answer($t->raw("GET /feeds/a.rss HTTP/1.1\r\n$end"), 400, 'no Host');
is_answer($t->raw("GET /feeds/a.rss HTTP/1.1\r\n$host$host$end"), 400,
    'two Hosts');
is_answer($t->get('/feeds/a.rss', 'X-Long' => 'x' x 9000), 400,
    'a header nginx does not take');

# Encodings: whatever is said, what comes can be decoded.
my @encodings = (
    ['', ''], [',', ''], [',,,', ''], ['x' x 8000, ''], ['x,' x 4000, ''],
    [' ' x 4000 . 'gzip', 'gzip'], ['gzip' . ';a=b' x 900, undef],
    ['gzip;q=0', ''], ['gzip;q=0.000', ''], ['gzip;q=0.0001', undef],
    ['gzip;q=' . '0' x 4000, undef], ['gzip;q=-1', undef],
    ['gzip;q=NaN', undef], ['gzip;q=1e9', undef], ['gzip;q=', undef],
    ['gzip;', undef], [';q=1', ''], ['gzip;q=0, gzip', undef],
    ['gzip, br;q=0', 'gzip'], ['GZIP', 'gzip'], ['gzipx', ''], ['xgzip', ''],
    ['identity', ''], ['identity;q=0', undef], ['*;q=0', undef],
    ['gzip;q=0, *', undef], ["gz\xffip", ''], ['deflate', ''], ['zstd', ''],
    ['compress, dcb, dcz, br;q=0.1', 'br'],
    ['gzip, ' x 1000, 'gzip'], ['<script>', ''],
);
for my $case (@encodings) {
    my ($accept, $want) = @$case;
    my $res = get_is('/feeds/a.rss', 200, 'Accept-Encoding' => $accept);
    my $have = $res->header('Content-Encoding') // '';
    my $what = short("Accept-Encoding: $accept");
    is $have, $want, "$what: " . ($want || 'plain') if defined $want;
    is length $res->body, $res->header('Content-Length'), "$what: whole";
    is $res->body, $plain->body, "$what: plain" if $have eq '';
    if ($have eq 'gzip') {
        my $body = $res->body;
        IO::Uncompress::Gunzip::gunzip(\$body => \my $text);
        is $text, $plain->body, "$what: gzip";
    }
}

# Validators
my $etag = $plain->header('ETag');
(my $strong = $etag) =~ s{^W/}{};
my $list = join ', ', map { "W/\"$_\"" } 1000 .. 1700;
my @matches = (
    [$etag, 304], [$strong, 304], ['*', 304], ["$list, $etag", 304],
    ["\"x\",$etag", 304], [",, ,$etag", 304],
    [$list, 200], ['"' . 'x' x 7900 . '"', 200], ['x' x 7900, 200],
    ['"', 200], ['W/', 200], ['""', 200], ["\"$etag\"", 200], ['**', 200],
    [substr($etag, 0, -1), 200], ["x$etag", 200], ["${strong}x", 200],
    [uc $strong =~ s/[A-F]/x/gr, 200], ["\xff", 200], ['<script>', 200],
);
for my $case (@matches) {
    my ($value, $want) = @$case;
    for my $method (qw(GET HEAD)) {
        my $res = $t->request($method, '/feeds/a.rss',
            'If-None-Match' => $value);
        is_answer($res, $want, "$method If-None-Match: $value");
        is $res->body, '', short("If-None-Match: $value: 304 has no body")
            if $res->status == 304;
    }
}
get_is('/feeds/zz.rss', 404, 'If-None-Match' => '*');
get_is('/feeds/a.rss?limit=0', 400, 'If-None-Match' => '*');
is_answer($t->request('POST', '/feeds/a.rss', 'If-None-Match' => '*'), 405,
    'POST with If-None-Match: *');
get_is('/feeds/a.rss', 200, 'If-Match' => '*');
get_is('/feeds/a.rss', 412, 'If-Match' => $_)
    for $etag, $strong, '"x"', $list, '';
get_is('/feeds/zz.rss', 404, 'If-Match' => '"x"');
get_is('/feeds/a.rss', 200, 'If-Modified-Since' => $_)
    for 'x', '0', '-1', 'Thu, 01 Jan 1970 00:00:00 GMT',
    'Fri, 31 Dec 9999 23:59:60 GMT', 'x' x 7000, '<script>',
    '2021-01-01T00:00:00Z';
get_is('/feeds/a.rss', 200, 'If-None-Match' => '"x"',
    'If-Modified-Since' => $plain->header('Last-Modified') // 'x');

# Ranges of what has none are the whole.
for my $range ('bytes=0-0', 'bytes=-1', 'bytes=5-1', 'bytes=99999999-',
    'bytes=' . join(',', map { "$_-$_" } 0 .. 900), 'x=1', 'bytes=',
    'bytes=0-18446744073709551616')
{
    my $res = $t->get('/feeds/a.rss', Range => $range, 'If-Range' => $etag);
    $is_plain->($res, "Range: $range");
    is $res->header($_), undef, short("Range: $range: no $_")
        for qw(Accept-Ranges Content-Range);
}

# --- at random, but the same every time

srand 1;
my @pieces = (values %selections, qw(a b caf%C3%A9 all + , ! %2B %2C %21 . / ..
    rss atom json html opml ? & = limit= before= month= type= since= author=
    min_heat= 1 0 - 2021-01 %00 %FF %), $script);
my %seen;
for (1 .. 1000) {
    my $uri = ('/feeds/', '/tags/', '/select/', '/own/')[rand 4]
        . join '', map { $pieces[rand @pieces] } 0 .. rand 8;
    $uri = substr $uri, 0, 7000;
    my $status = $t->get($uri)->status;
    $seen{$status}++;
    fail short("$uri: $status") if $status !~ /^(?:200|301|400|404)$/;
}
ok $seen{$_}, "at random there was a $_" for 200, 400, 404;

# --- afterwards

$is_plain->($t->get('/feeds/a.rss'), 'the feed is there as before');
is_deeply [$t->workers], \@workers, 'of the same workers';
is_deeply [$t->log_lines(qr/\[(?:error|crit|alert|emerg)\].*: cardfeed/)], [],
    'nobody alarmed the log';
my @log = split /\n/, slurp($t->dir . '/access.log');
is_deeply [grep { /^(?:400|404|405|413|414|505)\|/ && !/^\d+\|-\|-\|-\|-\|/ }
    @log], [], 'what was refused was made and kept for nobody';
is_deeply [grep { /^5(?!05)/ && !m{GET /feeds/all.rss } } @log], [],
    'nothing was our fault';

$t->finish;
