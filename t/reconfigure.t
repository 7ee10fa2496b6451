# Reloads with other collections: added, renamed, removed, back again; with
# another directory and other parameters.  No request fails on the way.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use Test::More;
use Cardfeed::Handover;
use Cardfeed::Test;

my $t = Cardfeed::Test->new;
my $dir = $t->dir;

sub card {
    my ($where, $title, $date, %more) = @_;
    local $t->{content} = "$dir/$where";
    $t->card("$title.md", {title => $title, date => $date,
        topics => ['Conf'], webUrl => "https://example.org/$title", %more});
}

# All titles below a prefix, or "(404)" and the like.
sub titles {
    my ($prefix) = @_;
    my $res = $t->get("/$prefix/all.rss");
    return '(' . $res->status . ')' if $res->status != 200;
    return join ' ', $res->body =~ m{<item>\s*<title>([^<]*)</title>}g;
}

sub wait_for_titles {
    my ($prefix, $want, $what) = @_;

    my $have = '';
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    wait_for(sub { ($have = titles($prefix)) eq $want }, $what)
        or diag "last seen: $have";
    is $have, $want, $what;
}

# The collections besides "news", each below a location of its name.
sub collections {
    my (%dir) = @_;
    $t->{http} = join "\n", map {
        "cardfeed_collection $_ \"$dir/$dir{$_}\";" } sort keys %dir;
    $t->{server} = join "\n", map {
        "location /$_/ { cardfeed $_; }" } sort keys %dir;
}

sub generations {
    my ($name) = @_;
    return grep { -d } glob "$dir/index/$name/*-*-*";
}

make_path("$dir/one", "$dir/two");
card('content', 'news-1', '2021-01-01');
card('one', 'one-1', '2021-01-01');
card('two', 'two-1', '2021-01-01');
settle($t);
$t->start;
is titles('feeds'), 'news-1', 'a site';

# --- added

my $mark = $t->mark;
collections(more => 'one');
$t->reload;
is_deeply [reconciled($t, 'a collection more', $mark)], [0, 1],
    'what was there is not read again';
wait_for_titles('more', 'one-1', 'the new one has its feeds');
card('one', 'one-2', '2021-01-02');
card('content', 'news-2', '2021-01-02');
wait_for_titles('more', 'one-2 one-1', 'and is watched');
wait_for_titles('feeds', 'news-2 news-1', 'as is the other one');
is wait_one_indexer($t, 'one process indexes each', 'more'),
    wait_one_indexer($t, 'both collections'), 'the same one';

# --- renamed: that is another collection

collections(other => 'one');
$t->reload;
wait_for_titles('other', 'one-2 one-1', 'renamed: its feeds');
is titles('more'), '(404)', 'renamed: none of the old name';
wait_for(sub { !indexing($t, 'more') && !holders($t, 'more') },
    'renamed: nobody indexes the old one');
wait_one_indexer($t, 'renamed: one process indexes', 'other');
is scalar(generations('more')), 1, 'renamed: the old index is left alone';

# --- another directory, and back; the old index serves until it is read

my @seen;
sub reload_and_wait {
    my ($prefix, $want, $what) = @_;

    my %bad;
    $t->reload(wait => 0);
    wait_for(sub {
        my $have = titles($prefix);
        $bad{$have}++ if $have =~ /^\(/;
        push @seen, $have if !@seen || $seen[-1] ne $have;
        return $have eq $want;
    }, $what);
    is titles($prefix), $want, $what;
    is_deeply \%bad, {}, "$what: no request fails";
    wait_for(sub { indexing($t, 'other') <= 1 && $t->workers == 2 },
        "$what: the old workers leave");
}

collections(other => 'two');
reload_and_wait('other', 'two-1', 'another directory');
card('two', 'two-2', '2021-01-02');
card('one', 'one-3', '2021-01-03');
wait_for_titles('other', 'two-2 two-1', 'another directory: is watched');
collections(other => 'one');
reload_and_wait('other', 'one-3 one-2 one-1', 'and the first again');
is_deeply \@seen, ['one-2 one-1', 'two-1', 'two-2 two-1',
    'one-3 one-2 one-1'], 'either the one or the other'
    or diag explain \@seen;

# --- removed while an old worker has a client, then back

my $slow = $t->connection;
$slow->syswrite("GET /other/all.rss HTTP/1.1\r\nHost: localhost\r\n");
wait_for(sub { $t->has_read($slow) }, 'a client begins');
collections();
$t->reload;
is titles('other'), '(404)', 'removed: no feeds';
wait_for(sub { !indexing($t, 'other') && !holders($t, 'other') },
    'removed: nobody indexes it, the old worker neither');
ok scalar(generations('other')), 'removed: its index stays';
card('one', 'one-4', '2021-01-04');
$slow->syswrite("Connection: close\r\n\r\n");
my $answer = '';
1 while $slow->sysread($answer, 65_536, length $answer);
like $answer, qr{^HTTP/1\.1 200 .*one-3}s,
    'removed: its last client is served';
wait_for(sub { $t->workers == 2 }, 'removed: the old worker ends');

$mark = $t->mark;
collections(other => 'one');
$t->reload;
like titles('other'), qr/^(?:one-4 )?one-3 one-2 one-1$/,
    'back: it serves at once';
wait_for_titles('other', 'one-4 one-3 one-2 one-1', 'back: then all');
my ($parsed, $files) = reconciled($t, 'back: reconciled', $mark, 'other');
is $files, 4, 'back: the index of before';
ok !$t->log_lines(qr/"other": the index is built anew/, $mark),
    'back: it is trusted';
wait_for(sub { generations('other') == 1 }, 'back: no older one is left');

# --- other parameters, and back

card('content', 'undated', undef);
$t->site('../content/page.html', $t->card_text({title => 'page',
    date => '2021-01-03', topics => ['Conf'],
    webUrl => 'https://example.org/page'}));
my $plain = 'page news-2 news-1';
wait_for_titles('feeds', $plain, 'a page');

my @links = map { m{<guid[^>]*>([^<]*)<}g } $t->get('/feeds/all.rss')->body;
for my $case (
    ['include=*.html', 'page'],
    ['exclude=*.html', 'news-2 news-1'],
    ['undated=mtime', "undated $plain"],
    ['max_card=1k', $plain],
    ['timezone=+02:00', $plain],
    ['ids=permalink', $plain],
    ['site=https://example.net/', $plain],
) {
    my ($parameter, $want) = @$case;
    my %bad;
    for my $now ([$parameter, $want], ['', $plain]) {
        $t->{collection} = $now->[0];
        $mark = $t->mark;
        $t->reload(wait => 0);
        wait_for(sub {
            my $have = titles('feeds');
            $bad{$have}++ if $have ne $want && $have ne $plain;
            return $t->log_lines(qr/"news" is ready/, $mark);
        }, "$parameter: a new index");
        ok scalar($t->log_lines(
            qr/"news": .*built anew: .*made with other parameters/, $mark)),
            "'$now->[0]': the log says why";
        wait_for_titles('feeds', $now->[1], "'$now->[0]': its feeds");
        next if $parameter ne 'ids=permalink';
        my @now = map { m{<guid[^>]*>([^<]*)<}g }
            $t->get('/feeds/all.rss')->body;
        is_deeply \@now, $now->[0] ? [map { "https://example.org/$_" }
            split / /, $plain] : \@links, "'$now->[0]': its ids";
    }
    is_deeply \%bad, {}, "$parameter: nothing else on the way";
}

# A worker that nobody asks keeps what it has open: not beyond a reload.
$t->reload;
wait_one_indexer($t, 'in the end one process indexes');
wait_for(sub { generations('news') == 1 }, 'and one index is left');

$t->finish;
