# What a worker has in memory for responses of all sizes and kinds, that come
# and go: it has a bound, whatever is asked for.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::MD5 qw(md5_hex);
use Test::More;
use Time::HiRes qw(time);
use Cardfeed::Test;

my $CACHE = 16 * 1024;
my $SECONDS = 2;        # of a flood, or longer until enough was made
my $REQUESTS = 1500;    # at most

# What there is besides, in kB: buffers that bodies are made in and the
# encoders' (6 MB, measured without a cache), and what the allocator keeps of
# bodies of all sizes, holes and all (14 MB; when floods like these go on and
# on it stays below 18).
my $MORE = 24 * 1024;

my $t = Cardfeed::Test->new(workers => 1,
    http => "cardfeed_cache ${CACHE}k;\nkeepalive_requests 1000000;",
    server => 'add_header X-Cache $cardfeed_cache_status always;');

# Text that compresses to half its size.
sub noise {
    my ($seed, $bytes) = @_;
    return substr join('', map { md5_hex("$seed $_") } 1 .. $bytes / 32 + 1),
        0, $bytes;
}

my $newest = 1_600_000_000;
$t->card("many/$_.md", {title => "card-$_", topics => ['Many'],
    date => rfc3339($newest - $_), excerpt => noise($_, 700),
    webUrl => "https://example.org/$_"}) for 1 .. 700;
$t->card("one.md", {title => 'one', topics => ['One'],
    date => rfc3339($newest - 800), excerpt => noise('one', 2000),
    webUrl => 'https://example.org/one'});
$t->start;

my ($worker) = $t->workers;
sub anonymous {
    return slurp("/proc/$worker/status") =~ /^RssAnon:\s+(\d+) kB/m && $1;
}
my $sanitized = slurp("/proc/$worker/maps") =~ /lib[at]san|libubsan/
    || slurp($t->{nginx}) =~ /__asan_init/;

# The same each time, and no pattern in it.
my $random = 1;
sub choose {
    my ($n) = @_;
    $random = ($random * 1_103_515_245 + 12_345) % 2_147_483_648;
    return int $random / 65_536 % $n;
}

my @formats = qw(rss atom json html);
my @codings = qw(identity gzip br);

sub uri {
    # most are small, as anywhere
    my $limit = choose(3) ? 5 + choose(60) : 1 + choose(500);
    my $sel = choose(8) ? 'many' : 'one';
    my $uri = "/feeds/$sel.$formats[choose(4)]?limit=$limit";
    $uri .= sprintf '&before=%d.%016x', $newest - choose(200), choose(30_000)
        if choose(4);
    return $uri;
}

my $connection = $t->connection;

# Over one connection; the body's length and what the cache said.
sub ask {
    my ($method, $uri, $coding) = @_;

    $connection->syswrite("$method $uri HTTP/1.1\r\nHost: x\r\n"
        . "Accept-Encoding: $coding\r\n\r\n");
    my $all = '';
    my $end = -1;
    while ($end < 0 || length $all < $end) {
        $connection->sysread($all, 1 << 20, length $all) or die 'no answer';
        next if $end >= 0 || (my $head = index $all, "\r\n\r\n") < 0;
        die substr $all, 0, 200 if $all !~ /^HTTP\/1\.1 200 /;
        my ($len) = $all =~ /^Content-Length: (\d+)\r$/m;
        $end = $head + 4 + ($method eq 'GET' ? $len : 0);
    }
    my ($len) = $all =~ /^Content-Length: (\d+)\r$/m;
    my ($cache) = $all =~ /^X-Cache: (\w+)\r$/m;
    return ($len, $cache);
}

my ($small, $large) = (ask('GET', '/feeds/one.json?limit=1', 'identity'))[0];
for my $format (@formats) {
    my ($len) = ask('GET', "/feeds/many.$format?limit=500", 'identity');
    $large = $len if $len > ($large // 0);
}
cmp_ok $small, '<', 6000, "small responses: $small bytes";
cmp_ok $large, '>', 500_000, "large ones: $large bytes";

# --- as the worker begins, and as it goes on

is $t->stop, 0, 'stopped';
$t->start;
($worker) = $t->workers;
$connection = $t->connection;
my $before = anonymous();
note "$before kB before";

sub flood {
    my ($what, $uri) = @_;

    my ($begun, $n, $bytes, $peak, %cache) = (time, 0, 0, 0);
    while ($n < $REQUESTS
        && (time < $begun + $SECONDS || $bytes < 3 * $CACHE * 1024))
    {
        my ($len, $cache) = ask(choose(3) ? 'HEAD' : 'GET', $uri->(),
            $codings[choose(3)]);
        $n++;
        $bytes += $len;
        $cache{$cache}++;
        my $now = anonymous();
        $peak = $now if $now > $peak;
    }
    cmp_ok $bytes, '>', 2 * $CACHE * 1024, "$what: more than fits";
    note sprintf '%s: %d requests (%s), %d MB, %.1f s: %d kB before,'
        . ' %d kB at most, %d kB now', $what, $n,
        join(', ', map { "$_ $cache{$_}" } sort keys %cache),
        $bytes >> 20, time - $begun, $before, $peak, anonymous();
    SKIP: {
        skip 'a sanitizer has memory of its own', 1 if $sanitized;
        cmp_ok $peak - $before, '<', $CACHE + $MORE,
            "$what: within the bound";
    }
    return $cache{HIT} // 0;
}

flood('all sizes', \&uri);

# Large ones alone, then small ones in the room that these leave, and back.
my $serial = 0;
flood('large ones', sub { sprintf '/feeds/many.%s?limit=%d&before=%d.%016x',
    $formats[choose(4)], 300 + choose(201), $newest - choose(100),
    $serial++ });
flood('small ones', sub { sprintf '/feeds/many.%s?limit=%d&before=%d.%016x',
    $formats[choose(4)], 5 + choose(80), $newest - choose(500),
    $serial++ });
flood('all sizes again', \&uri);
cmp_ok((ask('GET', '/feeds/many.rss?limit=7', 'br'))[0], '>', 0,
    'after that it still answers');
is((ask('GET', '/feeds/many.rss?limit=7', 'br'))[1], 'HIT', 'and keeps');

$t->finish;
