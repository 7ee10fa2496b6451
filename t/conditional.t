# Conditional requests, RFC 9110 section 13: on a response that is made and
# on one that was kept, in every coding.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(workers => 1, location => 'cardfeed_max_age 10m;',
    http => 'large_client_header_buffers 4 32k;',
    server => <<'CONF');
add_header X-Cache $cardfeed_cache_status always;
location /before/ {
    cardfeed news;
    if_modified_since before;
}
location /page/ { error_page 404 = /feeds/all.rss; return 404; }
CONF

$t->card("$_.md", {title => "Card $_", date => "2021-01-0$_",
    topics => ['Topic'], webUrl => "https://example.org/$_"}) for 1 .. 3;
$t->start;

my $uri = '/feeds/topic.atom';
my $res;
wait_for(sub {
    $res = $t->get($uri);
    my $lm = http_date($res->header('Last-Modified')) or return;
    return $lm < http_date($res->header('Date'));
}, 'Last-Modified is in the past');
my ($etag, $lm) = map { $res->header($_) } qw(ETag Last-Modified);
my ($strong) = $etag =~ m{^W/("[0-9a-f]{32}")$};
ok $strong, 'a weak ETag' or diag $etag;
(my $opaque = $strong) =~ tr/"//d;
my $other = $strong =~ tr/0-9a-f/1-9a-f0/r;
my $old = 'Sun, 06 Nov 1994 08:49:37 GMT';
my $future = 'Sat, 06 Nov 2094 08:49:37 GMT';

# a list just below what nginx takes in a line by default
my $list = '';
$list .= sprintf 'W/"%032x", ', length $list while length $list < 7800;

# what is asked: the status, the request's headers
my @cases = (
    ['nothing', 200],
    # If-None-Match compares weakly
    ['its ETag', 304, 'If-None-Match' => $etag],
    ['its ETag without W/', 304, 'If-None-Match' => $strong],
    ['its ETag and blanks', 304, 'If-None-Match' => "  $etag  "],
    ['any', 304, 'If-None-Match' => '*'],
    ['another', 200, 'If-None-Match' => "W/$other"],
    ['another, strong', 200, 'If-None-Match' => $other],
    ['first of a list', 304, 'If-None-Match' => qq{$etag, "x"}],
    ['last of a list', 304, 'If-None-Match' => qq{"x",W/"y" ,\t$etag}],
    ['in a list, strong', 304, 'If-None-Match' => qq{"x", $strong, "z"}],
    ['not in a list', 200, 'If-None-Match' => qq{"x", W/$other, W/"y"}],
    ['last of a long list', 304, 'If-None-Match' => $list . $etag],
    ['last of a long list, strong', 304, 'If-None-Match' => $list . $strong],
    ['not in a long list', 200, 'If-None-Match' => $list . "W/$other"],
    ['an empty tag', 200, 'If-None-Match' => '""'],
    ['an empty weak tag', 200, 'If-None-Match' => 'W/""'],
    ['an empty value', 200, 'If-None-Match' => ''],
    ['a comma', 200, 'If-None-Match' => ','],
    ['a quote', 200, 'If-None-Match' => '"'],
    ['W/ alone', 200, 'If-None-Match' => 'W/'],
    ['a part of it', 200, 'If-None-Match' => substr($etag, 0, 20) . '"'],
    ['more than it', 200, 'If-None-Match' => $strong =~ s/"$/0"/r],
    ['in capitals', 200, 'If-None-Match' => $etag =~ s/([a-f])/\U$1/r],
    ['garbage', 200, 'If-None-Match' => "\xff\x80,;=\"\\"],
    ['8 KB of garbage', 200, 'If-None-Match' => 'x"/W,' x 1600],
    ['8 KB of quotes', 200, 'If-None-Match' => '"' x 8000],
    ['8 KB of commas', 200, 'If-None-Match' => ',' x 8000],
    # If-Modified-Since alone
    ['its date', 304, 'If-Modified-Since' => $lm],
    ['an older date', 200, 'If-Modified-Since' => $old],
    ['a date to come', 200, 'If-Modified-Since' => $future],
    ['no date', 200, 'If-Modified-Since' => 'yesterday'],
    ['an empty date', 200, 'If-Modified-Since' => ''],
    ['garbage for a date', 200, 'If-Modified-Since' => "\xff" x 8000],
    ['an ETag for a date', 200, 'If-Modified-Since' => $etag],
    # which counts for nothing beside If-None-Match
    ['its ETag, an older date', 304, 'If-None-Match' => $etag,
        'If-Modified-Since' => $old],
    ['its ETag, no date', 304, 'If-None-Match' => $etag,
        'If-Modified-Since' => 'x'],
    ['its ETag and date', 304, 'If-None-Match' => $etag,
        'If-Modified-Since' => $lm],
    ['another ETag, its date', 200, 'If-None-Match' => "W/$other",
        'If-Modified-Since' => $lm],
    ['garbage, its date', 200, 'If-None-Match' => 'x',
        'If-Modified-Since' => $lm],
    ['an empty value, its date', 200, 'If-None-Match' => '',
        'If-Modified-Since' => $lm],
    ['any, an older date', 304, 'If-None-Match' => '*',
        'If-Modified-Since' => $old],
    # If-Match compares strongly: no weak ETag ever matches
    ['any, to match', 200, 'If-Match' => '*'],
    ['its ETag to match', 412, 'If-Match' => $etag],
    ['its ETag without W/ to match', 412, 'If-Match' => $strong],
    ['another to match', 412, 'If-Match' => $other],
    ['a list to match', 412, 'If-Match' => qq{"x", $etag, $strong}],
    ['nothing to match', 412, 'If-Match' => ''],
    ['garbage to match', 412, 'If-Match' => '**'],
    ['8 KB to match', 412, 'If-Match' => $list . $etag],
    ['any to match, its ETag', 304, 'If-Match' => '*',
        'If-None-Match' => $etag],
    ['any to match, another ETag', 200, 'If-Match' => '*',
        'If-None-Match' => $other],
    ['to match, its ETag', 412, 'If-Match' => $etag,
        'If-None-Match' => $etag],
    # If-Unmodified-Since
    ['unmodified since its date', 200, 'If-Unmodified-Since' => $lm],
    ['unmodified since then', 412, 'If-Unmodified-Since' => $old],
    # no ranges, whatever they depend on
    ['a range', 200, Range => 'bytes=0-9'],
    ['a range, if', 200, Range => 'bytes=0-9', 'If-Range' => $etag],
    ['a range, its ETag', 304, Range => 'bytes=0-9',
        'If-None-Match' => $etag],
);

# A document that is made every time: a month without cards.
my $fresh = '/feeds/topic.atom?month=2020-05';
my $empty = $t->get($fresh);
is $empty->header('X-Cache'), 'BYPASS', 'a document that is never kept';

sub check {
    my ($what, $res, $status, $whole, $coding, $method) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $res->status, $status, "$what: $status";
    return if $status == 412;

    my %is = map { $_ => join ' | ', $res->headers($_) }
        qw(ETag Vary Cache-Control Link Last-Modified Content-Encoding);
    my %want = (ETag => $whole->header('ETag'), Vary => 'Accept-Encoding',
        'Cache-Control' => 'public, max-age=600',
        Link => $whole->header('Link'),
        'Last-Modified' => $whole->header('Last-Modified') // '',
        'Content-Encoding' => $status == 200 ? $coding : '');
    is_deeply \%is, \%want, "$what: its headers";
    is $res->header('Content-Length'), $status == 304 ? undef
        : length $whole->body, "$what: its length" if $coding eq ''
        || $status == 304;
    is $res->header('Content-Type'), $status == 304 ? undef
        : $whole->header('Content-Type'), "$what: its type";
    if ($status == 304 || $method eq 'HEAD') {
        is $res->body, '', "$what: no body";
    } elsif ($coding eq '') {
        is $res->body, $whole->body, "$what: its body";
    } else {
        is length $res->body, $res->header('Content-Length'),
            "$what: its body";
    }
}

my $whole = $t->get($uri);
for my $case (@cases) {
    my ($what, $status, %header) = @$case;
    for my $coding ('', 'gzip', 'br') {
        my %accept = $coding ? ('Accept-Encoding' => $coding) : ();
        for my $method (qw(GET HEAD)) {
            my $res = $t->request($method, $uri, %header, %accept);
            my $how = join ' ', $method, $what, $coding || ();
            is $res->header('X-Cache'), 'HIT', "$how: kept"
                if $status != 412; # nginx's own says nothing of the cache
            check($how, $res, $status, $whole, $coding, $method);
        }
    }

    # the same of a document that has to be made
    my %made = map { $_ => $header{$_} =~ s/\Q$opaque\E/${\($empty->header(
        'ETag') =~ m{"(.*)"})}/gr } keys %header;
    my $res = $t->get($fresh, %made);
    is $res->header('X-Cache'), 'BYPASS', "made, $what" if $status != 412;
    my $then = $t->get($fresh);
    check("made, $what", $res, $status, $then, '', 'GET')
        if ($then->header('Last-Modified') // '') eq $lm;
}
is $t->get($fresh)->header('Last-Modified'), $lm, 'made: of the same date';

# a MISS that becomes a 304 is kept all the same
my $n = 3;
for my $coding (undef, 'gzip', 'br') {
    my %accept = defined $coding ? ('Accept-Encoding' => $coding) : ();
    my $name = $coding // 'identity';
    $res = $t->get("/feeds/topic.rss?limit=@{[++$n]}", 'If-None-Match' => '*',
        %accept);
    is $res->status, 304, "new, $name: 304";
    is $res->header('X-Cache'), 'MISS', "new, $name: made";
    $res = $t->get("/feeds/topic.rss?limit=$n", %accept);
    is $res->header('X-Cache'), 'HIT', "new, $name: kept";
    is $res->header('Content-Encoding'), $coding, "new, $name: as asked for";
    $res = $t->get("/feeds/topic.rss?limit=@{[++$n]}", 'If-Match' => '"x"',
        %accept);
    is $res->status, 412, "new, $name: 412";
    is $res->header('ETag'), undef, "new, $name: the error's own headers";
    like $res->header('Content-Type'), qr{^text/html}, 'and its own page';
    is $res->header('Content-Encoding'), undef, 'as it is';
}

# nginx's own choice of how dates are compared
$res = $t->get('/before/topic.atom', 'If-Modified-Since' => $future);
is $res->status, 304, 'if_modified_since before: not modified since';
$res = $t->get('/before/topic.atom', 'If-Modified-Since' => $future,
    'If-None-Match' => '"x"');
is $res->status, 200, 'but the ETag counts';

# a feed in the place of an error page
$res = $t->get('/page/x', 'If-None-Match' => '*');
ok $res->status == 200 || $res->status == 304, 'in place of an error page';

# after a change nothing of before matches
$t->card('1.md', {title => 'changed', date => '2021-01-01',
    topics => ['Topic'], webUrl => 'https://example.org/1'});
wait_for(sub { $t->get($uri)->body =~ /changed/ }, 'a change');
is $t->get($uri, 'If-None-Match' => $etag)->status, 200, 'changed: the ETag';
is $t->get($uri, 'If-Modified-Since' => $lm)->status, 200,
    'changed: the date';
my $now = $t->get($uri)->header('ETag');
is $t->get($uri, 'If-None-Match' => "$etag, $now")->status, 304,
    'the new ETag, beside the old one';

is_deeply [$t->log_lines(qr/\[(?:error|warn)\]/)], [], 'nothing in the log';
$t->finish;
