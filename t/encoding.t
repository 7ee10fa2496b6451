# Content codings: who gets which, and that each is the same document.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Uncompress::Gunzip qw(gunzip $GunzipError);
use IPC::Open2 qw(open2);
use Test::More;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(workers => 1);

# A binary without the gzip module knows none of its directives.
my $gzip = `"$t->{nginx}" -V 2>&1` !~ /--without-http_gzip_module/;
my $on = $gzip ? 'gzip on; gzip_min_length 1; gzip_types *;'
    . ' gzip_proxied any; gzip_http_version 1.0;'
    : '';
my $vary = $gzip ? 'gzip_vary on;' : '';

$t->{server} = <<"CONF";
add_header X-Cache \$cardfeed_cache_status always;
large_client_header_buffers 4 64k;
location /on/ { cardfeed news; $on }
location /vary/ { cardfeed news; $on $vary }
location /quiet/ { cardfeed news; $vary }
location /off/ { cardfeed news; cardfeed_compression off; }
location /nginx/ { cardfeed news; cardfeed_compression off; $on $vary }
location /ssi/ { ssi on; ssi_types *; default_type text/plain; $on }
CONF
mkdir $t->dir . '/html';
mkdir $t->dir . '/html/ssi';
my $page = $t->dir . '/html/ssi/page';
open my $fh, '>', $page or die $!;
print {$fh} 'before <!--# include virtual="/feeds/all.json" --> after';
close $fh;

$t->card("$_.md", {title => "Card $_", date => "2021-01-0$_",
    topics => ['Topic'], excerpt => "Text of card $_. " x 20,
    webUrl => "https://example.org/$_"}) for 1 .. 9;
$t->start;
wait_for(sub {
    my $res = $t->get('/feeds/all.rss');
    my $changed = http_date($res->header('Last-Modified')) or return;
    return $changed < http_date($res->header('Date'));
}, 'Last-Modified is in the past, and said');

sub unbrotli {
    my ($bytes) = @_;

    my $pid = open2(my $out, my $in, 'brotli', '-d', '-c');
    binmode $_ for $in, $out;
    print {$in} $bytes;
    close $in;
    local $/;
    my $plain = <$out> // '';
    waitpid $pid, 0;
    return $? ? undef : $plain;
}

sub decoded {
    my ($res) = @_;

    my ($coding, $body) = ($res->header('Content-Encoding') // '', $res->body);
    return $body if $coding eq '';
    return unbrotli($body) if $coding eq 'br';
    return undef if $coding ne 'gzip';
    gunzip(\$body => \my $plain, Strict => 1, TrailingData => \my $more)
        or return undef;
    return length($more // '') ? undef : $plain;
}

# --- who gets which

my $garbage = join '', map { chr(33 + ($_ * 7919 + $_ ** 2) % 90) } 1 .. 8192;
my @accept = (
    # nothing said, or nothing one could do
    [undef, ''], ['', ''], [' ', ''], [',', ''], ['deflate', ''],
    ['compress, zstd', ''], ['identity', ''], ['gzi', ''], ['gzipx', ''],
    ['brotli', ''], [';q=1', ''],
    # one of ours
    ['gzip', 'gzip'], ['x-gzip', 'gzip'], ['GZip', 'gzip'], ['br', 'br'],
    ['BR', 'br'], [' gzip ', 'gzip'], ["\tbr\t", 'br'], ['gzip,', 'gzip'],
    [',,gzip', 'gzip'], ['deflate, gzip', 'gzip'], ['zstd,br', 'br'],
    # of both, br is the shorter one
    ['gzip, br', 'br'], ['br, gzip', 'br'], ['gzip, deflate, br', 'br'],
    ['gzip, deflate, br, zstd', 'br'], ['br;q=1.0, gzip;q=1.0', 'br'],
    # weights
    ['gzip;q=1, br;q=0.9', 'gzip'], ['gzip;q=0.5, br;q=0.8', 'br'],
    ['br;q=0.001, gzip;q=0.002', 'gzip'], ['gzip;q=0.5', 'gzip'],
    ['gzip;q=0.001', 'gzip'], ['gzip;Q=0.5,br;Q=0.4', 'gzip'],
    ['gzip ; q=0.5 , br ; q=0.4', 'gzip'], ["gzip;\tq=1, br;q=0", 'gzip'],
    ['identity;q=1, gzip;q=0.5', ''], ['identity;q=0.5, gzip;q=0.4', ''],
    ['identity;q=0.5, gzip;q=0.6', 'gzip'],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    # refused
    ['gzip;q=0', ''], ['gzip;q=0.0', ''], ['gzip;q=0.000', ''],
    ['gzip;q=0, br', 'br'], ['br;q=0, gzip', 'gzip'], ['br;q=0,gzip;q=0', ''],
    ['gzip;q=0, gzip', ''], ['gzip, gzip;q=0', ''],
    # whatever
    ['*', 'br'], ['*;q=0.5', 'br'], ['*, br;q=0', 'gzip'],
    ['*;q=0.5, gzip', 'gzip'], ['gzip, *;q=0', 'gzip'], ['gzip;q=0, *', 'br'],
    ['*;q=0.5, identity', ''], ['br;q=0, gzip;q=0, *', ''],
    # identity is what there is where all else is refused
    ['identity;q=0', ''], ['*;q=0', ''], ['identity;q=0, *;q=0', ''],
    ['identity;q=0, gzip', 'gzip'], ['gzip, identity;q=0', 'gzip'],
    ['identity;q=0, br;q=0.1', 'br'], ['*;q=0, gzip;q=0.2', 'gzip'],
    ['identity;q=0, *', 'br'],
    # malformed: passed over
    ['gzip;q=2', ''], ['gzip;q=1.001', ''], ['gzip;q=0.1234', ''],
    ['gzip;q=-1', ''], ['gzip;q=x, br', 'br'], ['gzip;q', ''], ['gzip;', ''],
    ['gzip;q=', ''], ['gzip;q=.5', ''], ['gzip;level=9', ''],
    ['gzip;q=1;x=y', ''], ['"gzip"', ''], ['gzip br', ''], ['gzip/br', ''],
    [$garbage =~ tr/a-zA-Z*//dr, ''], [$garbage =~ tr/,//dr . ', gzip', 'gzip'],
    ['x' x 8000 . ',br', 'br'], [join(', ', ('deflate;q=0.5') x 500, 'gzip'),
        'gzip'], [',' x 8000 . 'gzip', 'gzip'], [';' x 8000, ''],
    ["gzip\xff", ''], ["\x80\xfe, br", 'br'],
);
my $uri = '/feeds/topic.atom';
my $plain = $t->get($uri);
is $plain->header('Content-Encoding'), undef, 'nothing asked for: as it is';
my $etag = $plain->header('ETag');

for my $case (@accept) {
    my ($value, $coding) = @$case;
    my $res = $t->get($uri, defined $value ? ('Accept-Encoding' => $value)
        : ());
    my $what = !defined $value ? 'no header' : length $value > 40
        ? substr($value, 0, 40) . '...' : "'$value'";
    is $res->status, 200, "$what: 200";
    is $res->header('Content-Encoding') // '', $coding, "$what: '$coding'";
    ok((decoded($res) // '') eq $plain->body, "$what: the same document");
    is_deeply [$res->headers('Vary')], ['Accept-Encoding'], "$what: Vary";
    is $res->header('ETag'), $etag, "$what: ETag";
}

# several lines of the header are one
for my $case (['gzip', 'br', 'br'], ['br;q=0', 'gzip', 'gzip'],
    ['deflate', 'gzip', 'gzip'], ['gzip', 'gzip;q=0', ''], ['', 'br', 'br'],
    ['identity;q=0', 'gzip;q=0.1', 'gzip'], ['gzip;q=x', 'br', 'br'])
{
    my ($first, $second, $coding) = @$case;
    my $res = $t->raw("GET $uri HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        . "Accept-Encoding: $first\r\nX: y\r\naccept-encoding: $second\r\n"
        . "\r\n");
    is $res->header('Content-Encoding') // '', $coding,
        "'$first' and '$second': '$coding'";
}

# what one client said is not taken for what the next one says
my @last = (
    ['two lines', "Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n"],
    ['the second empty', "Accept-Encoding: br\r\nAccept-Encoding:\r\n"],
    ['a long line', 'Accept-Encoding: ' . 'x,' x 70 . "br\r\n"],
    ['a line of 129', 'Accept-Encoding: ' . 'x,' x 63 . ",br\r\n"],
    ['a line of 128', 'Accept-Encoding: ' . 'x,' x 63 . "br\r\n"],
    ['a line', "Accept-Encoding: br\r\n"],
);
my @then = (['', ''], ["Accept-Encoding:\r\n", ''],
    ["Accept-Encoding: \r\n", ''], ["Accept-Encoding: gzip\r\n", 'gzip'],
    ["Accept-Encoding: bR\r\n", 'br'],
    ["Accept-Encoding:\r\nAccept-Encoding:\r\n", ''],
    ["Accept-Encoding:\r\nAccept-Encoding: gzip\r\n", 'gzip']);
for my $last (@last) {
    for my $then (@then) {
        my ($first, $second) = map { $t->raw("GET $uri HTTP/1.1\r\nHost: x"
            . "\r\nConnection: close\r\n$_->[1]\r\n") } $last,
            [undef, $then->[0]];
        my $what = "$last->[0], then '" . $then->[0] =~ s/\r\n/;/gr . "'";
        is $first->header('Content-Encoding'), 'br', "$what: br";
        is $second->header('Content-Encoding') // '', $then->[1],
            "$what: '$then->[1]'";
        ok((decoded($second) // '') eq $plain->body, "$what: the same");
    }
}

# many of them, many headers
my $res = $t->raw("GET $uri HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    . join('', map { "X-$_: y\r\nAccept-Encoding: x$_\r\n" } 1 .. 100)
    . "Accept-Encoding: gzip\r\n\r\n");
is $res->header('Content-Encoding'), 'gzip', 'the last of a hundred lines';
$res = $t->raw("GET $uri HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n");
is $res->header('Content-Encoding'), 'gzip', 'HTTP/1.0';
ok decoded($res) eq $plain->body, 'HTTP/1.0: the same';
$res = $t->get($uri, 'Accept-Encoding' => 'gzip', Via => '1.1 proxy');
is $res->header('Content-Encoding'), 'gzip', 'through a proxy';

# --- every document, in every coding, made and kept, GET and HEAD

my @uris = map { "/feeds/$_" } qw(all.rss topic.rss topic.atom topic.json
    topic.html all.opml !all.json !all.rss !all.atom all.html?limit=1
    all.rss?type=none all.rss?month=2020-01), '';
for my $uri (@uris) {
    my %etag;
    my $plain = $t->get($uri);
    is $plain->status, 200, "$uri: 200";
    for my $coding ('', 'gzip', 'br') {
        my @accept = $coding ? ('Accept-Encoding' => $coding) : ();
        my $head = $t->head($uri, @accept);
        is $head->body, '', "$uri HEAD $coding: no body";
        for my $round (1, 2) {
            my $res = $t->get($uri, @accept);
            is $res->header('Content-Encoding') // '', $coding,
                "$uri: '$coding'";
            is $res->header('Content-Length'), length $res->body,
                "$uri $coding: its length";
            ok((decoded($res) // '') eq $plain->body,
                "$uri $coding: the same document");
            cmp_ok length $res->body, '<', length $plain->body,
                "$uri $coding: shorter" if $coding;
            $etag{$res->header('ETag')} = 1;
            is $head->header($_), $res->header($_), "$uri HEAD $coding: $_"
                for qw(ETag Content-Length Content-Encoding Content-Type Vary
                    Cache-Control Link Last-Modified);
            is_deeply [$res->headers('Vary')], ['Accept-Encoding'],
                "$uri $coding: Vary";
        }
    }
    is_deeply [keys %etag], [$plain->header('ETag')], "$uri: one ETag";
}

# --- beside nginx's own compression

sub answer {
    my ($uri, $accept) = @_;

    my $res = $t->raw("GET $uri HTTP/1.0\r\n"
        . (defined $accept ? "Accept-Encoding: $accept\r\n" : '') . "\r\n");
    is_deeply [$res->headers('Vary')], ['Accept-Encoding'], "$uri: Vary, once"
        if $uri !~ /ssi/;
    is scalar(() = $res->headers('Content-Encoding')),
        $res->header('Content-Encoding') ? 1 : 0, "$uri: one coding";
    return $res;
}

for my $place (qw(on vary quiet)) {
    my $plain = answer("/$place/topic.json");
    is $plain->header('Content-Encoding'), undef, "/$place/: not asked for";
    for my $accept ('identity;q=1, gzip;q=0.5', 'gzip;q=0.4, *;q=0.5,'
        . ' identity;q=0.6')
    {
        my $res = answer("/$place/topic.json", $accept);
        is $res->header('Content-Encoding'), undef,
            "/$place/ $accept: as the client likes it best";
        ok $res->body eq $plain->body, "/$place/ $accept: the same";
        is $res->header('Content-Length'), length $res->body,
            "/$place/ $accept: its length";
    }
    for my $accept (qw(gzip br), 'gzip, br') {
        my $res = answer("/$place/topic.json", $accept);
        is $res->header('Content-Encoding'), $accept =~ /(\w+)$/ && $1,
            "/$place/ $accept: compressed";
        ok((decoded($res) // '') eq $plain->body, "/$place/ $accept: once");
        is $res->header('Content-Length'), length $res->body,
            "/$place/ $accept: and kept so";
        is $res->header('ETag'), $plain->header('ETag'),
            "/$place/ $accept: ETag";
        my $same = $t->get("/$place/topic.json", 'Accept-Encoding' => $accept,
            'If-None-Match' => $plain->header('ETag'));
        is $same->status, 304, "/$place/ $accept: 304";
        is_deeply [$same->headers('Vary')], ['Accept-Encoding'],
            "/$place/ $accept: 304 with Vary, once";
    }
}

my $off = answer('/off/topic.json');
for my $accept (qw(gzip br *)) {
    $res = answer('/off/topic.json', $accept);
    is $res->header('Content-Encoding'), undef, "off, $accept: as it is";
    ok $res->body eq $off->body, "off, $accept: the same";
}
SKIP: {
    skip 'nginx without gzip', 7 if !$gzip;
    $off = answer('/nginx/topic.json');
    for my $accept ('gzip', 'identity;q=1, gzip;q=0.5') {
        $res = answer('/nginx/topic.json', $accept);
        is $res->header('Content-Encoding'), 'gzip',
            "off, and nginx does it: $accept";
        ok((decoded($res) // '') eq $off->body, 'the same');
        is $res->header('ETag'), $off->header('ETag'), 'ETag';
    }
}

# --- a part of another page is as it is, whatever the client takes

my $feed = $t->get('/feeds/all.json')->body;
$t->get('/feeds/all.json', 'Accept-Encoding' => $_) for qw(gzip br);
for my $accept (undef, 'gzip', 'br', 'gzip, br') {
    $res = answer('/ssi/page', $accept);
    my $what = $accept // 'nothing';
    is $res->status, 200, "included, $what: 200";
    isnt $res->header('Content-Encoding') // '', 'br', "$what: not ours";
    ok((decoded($res) // '') eq "before $feed after", "$what: the same");
}

$t->finish;
