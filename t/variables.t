# Variables for the log: what an answer was and whether it was kept; "-" where
# there was none.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX ();
use Test::More;
use Cardfeed::Test;

# One worker: what is in the cache is known.
my $t = Cardfeed::Test->new(workers => 1, absent => 1,
    http => <<'CONF',
log_format ours '$http_x_id|$status|$cardfeed_cache_status|'
    '$cardfeed_entries|$cardfeed_selection|$cardfeed_format';
log_format raw escape=none '$http_x_id|$cardfeed_selection|'
    '$cardfeed_format|';
log_subrequest on;
CONF
    location => 'cardfeed_max_entries 100;',
    server => <<'CONF');
access_log {{DIR}}/access.log ours;
access_log {{DIR}}/raw.log raw;
root {{DIR}}/site;

location = /feed.xml {
    cardfeed news;
    cardfeed_select "a+$arg_with";
    cardfeed_args "type=!video";
    cardfeed_format atom;
}
location /fallback/ {
    cardfeed news;
    error_page 404 = /feeds/all.json;
}
location /kept/ {
    cardfeed news;
    error_page 404 /page.html;
}
location /headers/ {
    cardfeed news;
    add_header X-Ours "$cardfeed_cache_status $cardfeed_entries" always;
}
CONF
$t->{server} .= <<'CONF' if $t->has('addition');
location /added/ {
    alias {{DIR}}/site/;
    add_after_body /feeds/b.html;
}
CONF
$t->site('page.html', "page\n");

my $id = 0;

# What was logged about a request: lines of fields, subrequests first.
sub logged {
    my ($method, $uri, %header) = @_;

    my $log = $t->dir . '/access.log';
    $id++;
    $t->request($method, $uri, 'X-Id' => "r$id", %header);
    my $lines = wait_for(sub {
        my @lines = slurp($log) =~ /^r$id\|(.*)$/mg;
        return @lines && \@lines;
    }, "$method $uri is logged") or return '';
    return join "\n", @$lines;
}

sub is_logged {
    my ($method, $uri, $want, @header) = @_;

    my $what = length $uri > 60 ? substr($uri, 0, 60) . '…' : $uri;
    my $with = @header ? " with $header[0]" : '';
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is logged($method, $uri, @header), $want, "$method $what$with";
}

# --- before the first scan

$t->start(ready => 0);
is_logged('GET', "/feeds/$_", '503|-|-|-|-')
    for qw(all.rss a.html all.opml), '';
is_logged('HEAD', '/feeds/all.rss', '503|-|-|-|-');
is_logged('POST', '/feeds/all.rss', '405|-|-|-|-');
is_logged('GET', '/feeds/all.rss?limit=x', '400|-|-|-|-');
is_logged('GET', '/feeds/all.xml', '404|-|-|-|-');

mkdir $t->content or die $!;
for my $n (1 .. 60) {
    $t->card("$n.md", {title => "card-$n", date => '2021-01-01',
        type => $n % 2 ? 'article' : 'video',
        topics => ['A', $n % 3 ? () : 'B',
            $n % 5 ? () : "Stra\x{df}e \x{416}"],
        webUrl => "https://example.org/$n"});
}
$t->wait_titles('a', qr/^(?:card-\d+ ?){60}$/, 'the cards are there');

# --- every format: made once, then found

for my $format (qw(rss atom json html)) {
    is_logged('GET', "/feeds/a.$format", "200|MISS|50|a|$format");
    is_logged('GET', "/feeds/a.$format", "200|HIT|50|a|$format");
    is_logged('HEAD', "/feeds/a.$format", "200|HIT|50|a|$format");
    is_logged('GET', "/feeds/a.$format?utm=1", "200|HIT|50|a|$format");
    is_logged('GET', "/feeds/a.$format", "304|HIT|50|a|$format",
        'If-None-Match' => $t->get("/feeds/a.$format")->header('ETag'));
    is_logged('GET', "/feeds/a.$format", "200|HIT|50|a|$format",
        'Accept-Encoding' => $_) for qw(gzip br);
}
is_logged('HEAD', '/feeds/a+b.rss', '200|MISS|20|a+b|rss');
is_logged('GET', '/feeds/b+a.rss', '200|HIT|20|a+b|rss');
is_logged('GET', '/feeds/a.rss', '412|HIT|50|a|rss', 'If-Match' => '"x"');
is_logged('GET', '/feeds/a.rss?limit=7', '200|MISS|7|a|rss');
is_logged('GET', '/feeds/a.rss?limit=50', '200|HIT|50|a|rss');

# the catalogue counts topics, and selects nothing
is_logged('GET', '/feeds/', '200|MISS|3|-|html');
is_logged('GET', '/feeds/', '200|HIT|3|-|html');
is_logged('GET', '/feeds/all.opml', '200|MISS|3|-|opml');
is_logged('HEAD', '/feeds/all.opml', '200|HIT|3|-|opml');

# months: those without cards are without end, and not kept
is_logged('GET', '/feeds/a.rss?month=2021-01', '200|MISS|60|a|rss');
is_logged('GET', '/feeds/a.rss?month=2021-01', '200|HIT|60|a|rss');
is_logged('GET', '/feeds/a.rss?month=1999-01', '200|BYPASS|0|a|rss')
    for 1 .. 2;

# selections are canonical
is_logged('GET', '/feeds/!b+a.atom', '200|MISS|40|a+!b|atom');
is_logged('GET', '/feeds/a+!b,a.atom', '200|MISS|50|a,a+!b|atom');
is_logged('GET', '/feeds/b.rss?min_heat=1&type=VIDEO,%22x%0a%7C%22',
    '200|MISS|0|b?type=%22x%20%7C%22,video&min_heat=1|rss');
is_logged('GET', '/feed.xml?with=b', '200|MISS|10|a+b?type=!video|atom');
is_logged('GET', '/feed.xml?with=b', '200|HIT|10|a+b?type=!video|atom');
is_logged('GET', '/feed.xml?with=zz', '404|-|-|-|-');
is_logged('GET', '/feeds/strasse-%D0%B6.rss',
    '200|MISS|12|strasse-\xD0\xB6|rss');

# --- no answer of ours

my $evil = '%22%27%0d%0a%7C%3Cb%3E%00'; # nginx itself refuses the NUL
is_logged('GET', $_->[0], "$_->[1]|-|-|-|-") for ['/feeds/zz.rss', 404],
    ['/feeds/a.xml', 404], ['/feeds/a.rss?before=x', 400],
    ['/feeds/a.rss?limit=0', 400], ['/feeds/a.rss?month=2100-01', 404],
    ['/feeds/' . $evil =~ s/%00//r . '.rss', 404],
    ['/feeds/a%0a.rss', 404], ['/page.html', 200], ['/nothing', 404],
    ['/feeds', 301];
is_logged('DELETE', '/feeds/a.rss', '405|-|-|-|-');

# nothing of all that was kept
is_logged('GET', '/feeds/zz.rss', '404|-|-|-|-');
is_logged('GET', '/fallback/zz.rss', '200|MISS|50|all|json');
is_logged('GET', '/kept/zz.rss', '404|-|-|-|-');
is $t->get('/headers/all.rss')->header('X-Ours'), 'MISS 50', 'in a header';
is $t->get('/headers/all.rss')->header('X-Ours'), 'HIT 50', 'and again';
like $t->get('/headers/zz.rss')->header('X-Ours'), qr/^ ?$/, 'of a 404';

SKIP: {
    skip 'nginx has no addition module', 1 unless $t->has('addition');
    is_logged('GET', '/added/page.html',
        "200|MISS|20|b|html\n200|-|-|-|-");
}

# --- a change: what it is about is made anew, the rest is still found

is_logged('GET', '/feeds/b.rss', '200|MISS|20|b|rss');
$t->card('61.md', {title => 'card-61', date => '2021-01-02', topics => ['C'],
    webUrl => 'https://example.org/61'});
$t->wait_titles('c', 'card-61', 'a card of another topic');
is_logged('GET', '/feeds/b.rss', '200|HIT|20|b|rss');
is_logged('GET', '/feeds/all.json', '200|MISS|50|all|json');

# --- a log is lines of fields, whatever a request says

my @raw = split /\n/, slurp($t->dir . '/raw.log'), -1;
is pop @raw, '', 'the raw log ends with a line';
is_deeply [grep { !/^(?:r\d+)?\|[^|\x00-\x20\x22\x27\x5c<>\x7f]*\|[a-z]*\|$/ }
    @raw], [], 'no control characters, quotes, blanks or markup in it';

# --- a cache of nothing

$t->stop;
$t->{http} .= "\ncardfeed_cache 0;";
$t->start;
is_logged('GET', '/feeds/a.rss', '200|BYPASS|50|a|rss') for 1 .. 2;
is_logged('GET', '/feeds/', '200|BYPASS|4|-|html');

$t->finish;
