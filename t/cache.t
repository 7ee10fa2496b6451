# The cache of responses: what is answered from it, and that a change anywhere
# makes those documents anew that it shows in, and no other one.
#
# Beside the nginx under test runs one that keeps nothing: after every step
# both have the same bytes for every document.

use strict;
use warnings;
no warnings 'qw'; # commas
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);
use Cardfeed::Test;

my %site = (workers => 1,
    location => 'cardfeed_base_url http://feeds.example.org;',
    server => <<'CONF');
add_header X-Cache $cardfeed_cache_status always;
location = /beta.xml {
    cardfeed news;
    cardfeed_topic Beta;
    cardfeed_format atom;
    cardfeed_base_url http://feeds.example.org;
}
location = /video.xml {
    cardfeed news;
    cardfeed_format rss;
    cardfeed_args "type=video";
    cardfeed_base_url http://feeds.example.org;
}
CONF
my $t = Cardfeed::Test->new(%site);
my $fresh = Cardfeed::Test->new(%site, content => $t->content,
    http => 'cardfeed_cache 0;');

# --- helpers

sub cached { $t->get(@_)->header('X-Cache') // 'none' }

# The last commit, by the two meta pages of the index (see lmdb's mdb.c): the
# only sign of one that nobody can see in a feed.
sub commit {
    my ($site) = @_;

    my ($data) = glob $site->dir . '/index/news/*-*-*/data.mdb';
    my $bytes = '';
    open my $fh, '<:raw', $data or die "$data: $!";
    read $fh, $bytes, 8192;
    my ($a, $b) = map { unpack 'Q<', substr $bytes, $_ + 144, 8 } 0, 4096;
    return $a > $b ? $a : $b;
}

my %card;
sub card {
    my ($name, %change) = @_;

    my $matter = $card{$name} //= {title => $name,
        date => '2021-01-01T00:00:' . (10 + keys %card) . 'Z',
        webUrl => "https://example.org/$name"};
    @$matter{keys %change} = values %change;
    return $t->card("$name.md", $matter);
}

card('a1', topics => ['Alpha']);
card('a2', topics => ['Alpha']);
card('b1', topics => ['Beta']);
card('b2', topics => ['Beta'], type => 'video', author => 'Jane');
card('ab', topics => ['Alpha', 'Beta']);
card('c1', topics => ['Gamma']);
card('o1', topics => ['Other']);
card('gone', topics => ['Gone']);
card('draft', topics => ['Beta'], draft => 'true');
card('undated', topics => ['Beta'], date => undef);
$_->start for $t, $fresh;
$t->remove('gone.md');
$_->wait_titles('gone', '', 'a topic whose cards have left')
    for $t, $fresh;

# --- the documents, and whose changes they show; "*": everybody's

my %shows = (
    (map { ("/feeds/alpha.$_" => 'alpha') } qw(rss atom json html)),
    '/feeds/alpha.rss?month=2021-01' => 'alpha',
    '/feeds/alpha.rss?limit=1' => 'alpha',
    '/feeds/alpha.atom?type=nothing' => '*',
    '/feeds/beta.atom' => 'beta',
    '/feeds/beta.html?limit=2' => 'beta',
    '/feeds/beta.rss?type=video' => 'beta',
    '/feeds/beta.json?author=jane' => 'beta',
    '/feeds/beta.atom?since=2021-01-01' => 'beta',
    '/feeds/beta.atom?type=nothing' => '*',
    '/feeds/beta.atom?month=2021-01' => 'beta',
    '/feeds/beta.atom?month=2020-01' => 'never',
    '/feeds/beta.rss?before=1700000000.0000000000000000' => 'beta',
    '/beta.xml' => 'beta',
    '/feeds/gamma.rss' => 'gamma',
    '/feeds/gone.rss' => '*',
    '/feeds/alpha+beta.atom' => 'alpha beta',
    '/feeds/alpha,beta.atom' => 'alpha beta',
    '/feeds/beta,gamma.atom' => 'beta gamma',
    '/feeds/beta+gamma.atom' => '*', # has no card
    '/feeds/gone,gamma.rss' => 'gone gamma',
    '/feeds/alpha+!beta.rss' => 'alpha beta',
    '/feeds/beta+!gamma.rss' => 'beta gamma',
    '/feeds/beta+!gamma,alpha.rss' => 'alpha beta gamma',
    '/feeds/!alpha.rss' => '*',
    '/feeds/!beta.rss' => '*',
    '/feeds/beta,!gamma.html' => '*',
    '/feeds/!all.json' => '*',
    '/feeds/all.atom' => '*',
    '/feeds/all.rss?min_quality=1' => '*',
    '/feeds/all.rss?type=video' => '*',
    '/feeds/all.json?month=2021-01' => '*',
    '/video.xml' => '*',
    '/feeds/' => '*',
    '/feeds/all.opml' => '*',
);
my @documents = sort keys %shows;

# Whether each is a HIT but those that show these topics; the others are made
# once; and all are what they ought to be.
sub check {
    my ($what, @topics) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my (@wrong, %stale);
    for my $uri (@documents) {
        my $shown = !@topics ? ''
            : $shows{$uri} eq '*' ? '*'
            : grep { my $is = $_; grep { $is eq $_ } @topics }
                split ' ', $shows{$uri};
        # of months without cards there is no end: never kept
        my @want = $shows{$uri} eq 'never' ? qw(BYPASS BYPASS)
            : $shown ? qw(MISS HIT) : qw(HIT);
        for my $want (@want) {
            my $res = $t->get($uri);
            my $is = $res->header('X-Cache') // 'none';
            push @wrong, "$uri: $is, not $want" if $is ne $want;
            my $right = $fresh->get($uri);
            $stale{$uri} = 1 if $res->body ne $right->body
                || $res->header('ETag') ne $right->header('ETag');
        }
    }
    is_deeply \@wrong, [], "$what: what is kept, and what is made anew"
        or diag join "\n", @wrong;
    is_deeply [sort keys %stale], [], "$what: every document is right";
}

my ($txn, $fresh_txn);
sub committed {
    my ($what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    wait_for(sub { commit($t) > $txn && commit($fresh) > $fresh_txn },
        "a commit: $what");
}

# A change, a sign of it, and the topics it is one of.
sub step {
    my ($what, $topics, $do, $sel, $want) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ($txn, $fresh_txn) = (commit($t), commit($fresh));
    $do->();
    if (defined $sel) {
        $_->wait_titles($sel, $want, $what) for $t, $fresh;
    } else {
        committed($what);
    }
    check($what, @$topics);
}

# --- the first time and then

for my $uri (@documents) {
    my ($first, $then) = $shows{$uri} eq 'never' ? qw(BYPASS BYPASS)
        : qw(MISS HIT);
    my $made = $t->get($uri);
    is $made->header('X-Cache'), $first, "$uri: first";
    my $kept = $t->get($uri);
    is $kept->header('X-Cache'), $then, "$uri: then";
    is $kept->body, $made->body, "$uri: the same";
    is $kept->header($_), $made->header($_), "$uri: the same $_"
        for qw(ETag Link Content-Type Cache-Control Content-Length Vary);
    is $fresh->get($uri)->header('X-Cache'), 'BYPASS',
        "$uri: where nothing is kept";
}
check('nothing happened');

# --- visible changes

step 'a card is edited', ['alpha'],
    sub { card('a1', title => 'a1-edited') }, 'alpha', qr/a1-edited/;
step 'again', ['alpha'],
    sub { card('a1', title => 'a1-again') }, 'alpha', qr/a1-again/;
step 'a card of two topics is edited', ['alpha', 'beta'],
    sub { card('ab', excerpt => 'more', title => 'ab-more') }, 'alpha',
    qr/ab-more/;
step 'a card of a topic in no feed', ['other'],
    sub { card('o1', title => 'o1-edited') }, 'other', qr/o1-edited/;
step 'a new card', ['gamma'],
    sub { card('c2', topics => ['Gamma']) }, 'gamma', 'c2 c1';
step 'a new card of a new topic, too', ['gamma', 'new'],
    sub { card('c3', topics => ['Gamma', 'New']) }, 'new', 'c3';
step 'a card changes its topic', ['alpha', 'gamma'],
    sub { card('a2', topics => ['Gamma']) }, 'gamma', 'c3 c2 c1 a2';
step 'a card comes into a topic as well', ['gamma', 'beta'],
    sub { card('c1', topics => ['Gamma', 'Beta']) }, 'beta', qr/c1/;
$shows{'/feeds/beta+gamma.atom'} = 'beta gamma'; # it has a card now
step 'a card is unpublished', ['gamma'],
    sub { card('c2', published => 'false') }, 'gamma', 'c3 c1 a2';
step 'and published again', ['gamma'],
    sub { card('c2', published => 'true') }, 'gamma', 'c3 c2 c1 a2';
step 'a card is deleted', ['gamma', 'new'],
    sub { $t->remove('c3.md') }, 'gamma', 'c2 c1 a2';
step 'a topic has cards again', ['gone'],
    sub { card('gone2', topics => ['Gone']) }, 'gone', 'gone2';
$shows{'/feeds/gone.rss'} = 'gone';
step 'another card of it', ['gone'],
    sub { card('gone3', topics => ['Gone']) }, 'gone', 'gone3 gone2';
step 'another topic', ['alpha'],
    sub { card('a1', title => 'a1-third') }, 'alpha', qr/a1-third/;
step 'what a filter asks for', ['beta'],
    sub { card('b1', type => 'video', title => 'b1-video') }, 'beta',
    qr/b1-video/;

# a topic's name is its most used spelling: one card changes it
like $t->get('/feeds/gamma.rss')->body, qr{<title>[^<]*Gamma<}, 'a name';
for my $name (qw(a2 c2)) {
    step "a topic is spelt otherwise in $name", ['gamma'],
        sub { card($name, topics => ['GAMMA']) };
}
like $t->get('/feeds/gamma.rss')->body, qr{<title>[^<]*GAMMA<},
    'it has another name now';
like $t->get('/feeds/all.opml')->body, qr/"GAMMA"/, 'in the list of feeds';
like $t->get('/feeds/')->body, qr/>GAMMA</, 'and in the catalogue';

# --- commits that change nothing one could see

step 'a draft is edited', [], sub { card('draft', title => 'x') };
step 'a new draft', [],
    sub { card('draft2', topics => ['Beta', 'Secret'], draft => 'true') };
step 'an undated card is edited', [],
    sub { card('undated', title => 'y') };
step 'a file without front matter', [],
    sub { $t->file('plain.md', "nothing\n") };
step 'a file that is rejected', [],
    sub { $t->file('bad.md', "---\ntitle: x\ndate: 2020-13-45\n---\n") };
step 'a card that is rejected stays as it was', [],
    sub { $t->file('b1.md', "---\ntitle: x\ndate: 2020-13-45\n---\n") };
step 'and is itself again', [], sub { card('b1') };
step 'a file is written again', [], sub { card('a1') };
step 'a key nobody reads', [], sub { card('b2', nobody => 'reads') };

# A card of the future shows in nothing, but for how long things hold.
my $due = int(time) + 200;
is $t->get('/feeds/gamma.rss')->header('Cache-Control'),
    'public, max-age=300', 'nothing is due';
step 'a card of the future', [],
    sub { card('future', topics => ['Beta'], date => rfc3339($due)) };
my $res = $t->get('/feeds/gamma.rss');
is $res->header('X-Cache'), 'HIT', 'a response made before';
my ($age) = $res->header('Cache-Control') =~ /^public, max-age=(\d+)$/;
my $left = $due - http_date($res->header('Date'));
is $age, $left, 'holds no longer than until then';
step 'it is put off', [],
    sub { card('future', topics => ['Beta'], date => '2099-01-01') };
is $t->get('/feeds/gamma.rss')->header('Cache-Control'),
    'public, max-age=300', 'and all the time again';

# --- what does not exist is looked for every time

my @nothing = ('/feeds/secret.rss', '/feeds/soon.rss', '/feeds/alpha+soon.rss',
    '/feeds/all,soon.atom', '/feeds/alpha+!soon.rss', '/feeds/!soon.rss',
    '/feeds/soon+!soon.json');
for my $uri (@nothing, @nothing) {
    $res = $t->get($uri);
    is $res->status, 404, "$uri: 404";
    is $res->header('X-Cache'), undef, "$uri: no answer of the cache's";
    is $res->header('Cache-Control'), 'no-store', "$uri: to be kept nowhere";
}
for my $args (qw(limit=x type=, month=x) x 2) {
    $res = $t->get("/feeds/alpha.rss?$args");
    is $res->status, 400, "$args: 400";
    is $res->header('X-Cache'), undef, "$args: no answer of the cache's";
}
step 'a topic comes into being', ['soon'],
    sub { card('soon', topics => ['Soon']) }, 'soon', 'soon';
is $t->get($_)->status, $_ =~ /secret/ ? 404 : 200, "$_: now" for @nothing;

# --- other processes, other indexes

my %etag = map { $_ => $t->get($_)->header('ETag') } @documents;
sub same {
    my ($what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @wrong;
    for my $uri (@documents) {
        my $res = $t->get($uri);
        push @wrong, $uri if $res->header('ETag') ne $etag{$uri};
        push @wrong, "$uri HIT" if $res->header('X-Cache') eq 'HIT'
            && $uri =~ /alpha/;
    }
    is_deeply \@wrong, [], "$what: the same ETags, of a new cache";
}

# the one before may take connections until it has heard of it
sub reload {
    my %old = map { $_ => 1 } $t->workers;
    $t->reload;
    wait_for(sub { !grep { $old{$_} } $t->workers }, 'the old worker ends');
}

reload();
same('reloaded');
$t->restart;
same('restarted');
$t->{collection} = 'exclude=nothing';
my $mark = $t->mark;
reload();
$t->wait_log(qr/"news" is ready/, 'a new index', $mark);
same('with an index of its own');
is cached('/feeds/alpha.rss'), 'HIT', 'which serves from its cache, too';

is $fresh->stop, 0, 'the other one stops';
$t->finish;
