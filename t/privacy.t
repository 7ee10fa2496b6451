# What must never be seen: `secured` anywhere; hidden, future and expired
# cards, and their topics, in any response.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Find ();
use Test::More;
use Cardfeed::Feed;
use Cardfeed::Test;

# Debug messages too, where nginx has them.
my $t = Cardfeed::Test->new;
$t->{main} = 'error_log ' . $t->dir . '/debug.log debug;';

my $day = 0;
sub matter {
    my ($title, %more) = @_;
    return {title => $title, date => sprintf('2021-02-%02d', ++$day),
        topics => ['Seen'], webUrl => "https://example.org/$day", %more};
}

my %hidden = (
    unpublished => {published => 'false'},
    drafted => {draft => 'true'},
    deleted => {deleted => 'true'},
    removed => {removed => 'true'},
    feedless => {feed => 'false'},
    shouting => {PUBLISHED => 'False'},
    future => {date => '2099-01-01T00:00:00Z'},
    expired => {expiryDate => '2021-03-01'},
    undated => {date => undef},
);

$t->card('seen.md', matter('Seen', secured => 'SECRET-plain'), "Body.\n");
for my $what (sort keys %hidden) {
    $t->card("$what.md", matter("HIDDEN-$what", %{$hidden{$what}},
        topics => ['Seen', "Topic $what"], excerpt => "HIDDEN-$what text",
        provider => {name => "HIDDEN-$what provider"}));
}
$t->card('_drafts/x.md', matter('HIDDEN-folder', topics => ['Topic folder']));

my $n = 0;
sub raw {
    my ($matter) = @_;
    ++$n;
    $t->file("raw$n.md", "---\ntitle: Raw $n\ndate: 2021-01-01\n"
        . "topics: [Seen]\n$matter---\n");
}
raw("secured: \"SECRET-quoted;SECRET-again\"\n");
raw("SECURED: SECRET-upper\nsecured: [SECRET-list, {a: SECRET-map}]\n");
raw("secured: |\n  SECRET-block\n  SECRET-more\nsummary: fine\n");
raw("provider:\n  name: fine\n  secured: SECRET-nested\n");
raw("related:\n  - title: fine\n    webUrl: https://example.org/r\n"
    . "    secured: SECRET-related\n");
raw("secured: &x SECRET-anchor\nexcerpt: *x\n");
my $good = $n - 1;
# Rejected cards: the reason must not tell.
raw("secured: \"SECRET-unclosed\nx: [\n");
raw("secured: SECRET: SECRET-colon: x\n");
raw("secured: \"SECRET-escape \\q\"\n");
raw("secured: SECRET-control \x01\n");
raw("secured: *SECRET-alias\n");
raw("secured: !SECRET-tag! \"x\n");
raw("secured: SECRET-date\ndate: 2020-13-45\n");
raw("secured: {SECRET-flow: ]\n");

$t->start;

my %body;
for my $sel ('all', 'seen', map { "topic-$_" } sort(keys %hidden), 'folder') {
    for my $format (qw(rss atom json)) {
        for my $args ('', '?limit=500', '?limit=1') {
            my $res = $t->get("/feeds/$sel.$format$args");
            is $res->status, $sel =~ /^(?:all|seen)$/ ? 200 : 404,
                "$sel.$format$args: the status tells nothing";
            $body{"$sel.$format$args"} = $res->head . $res->body;
        }
    }
}

my $items = rss($t->get('/feeds/all.rss')->body)->{items};
ok !(grep { $_->{title} =~ /HIDDEN/ } @$items), 'only cards to be seen';
cmp_ok scalar(@$items), '>=', $good, 'the others are all there';

# A card that was seen and goes: its text must not linger in later answers.
$t->card('seen2.md', matter('GONE-soon', topics => ['Seen', 'Gone Topic']));
$t->wait_titles('seen', qr/GONE-soon/, 'a card comes');
$t->card('seen2.md', matter('GONE-soon', published => 'false',
    topics => ['Seen', 'Gone Topic']));
$t->wait_titles('seen', qr/^(?!.*GONE)/, 'and is unpublished');
for my $sel (qw(all seen gone-topic)) {
    for my $format (qw(rss atom json)) {
        my $res = $t->get("/feeds/$sel.$format");
        is $res->status, 200, "$sel.$format is still a feed";
        $body{"$sel.$format, later"} = $res->head . $res->body;
    }
}

is_deeply [grep { $body{$_} =~ /HIDDEN|SECRET|GONE-soon/ } sort keys %body],
    [], 'no response shows what is hidden';
is $t->stop, 0, 'stopped';

my @files;
File::Find::find({no_chdir => 1, wanted => sub { push @files, $_ if -f }},
    $t->dir . '/index');
ok scalar(@files), 'there is an index';
for my $file (@files, map { $t->dir . "/$_.log" } qw(error debug)) {
    my $bytes = slurp($file);
    ok $bytes !~ /SECRET-(\w+)/, "no secret in $file" or diag "SECRET-$1";
}
my $index = join '', map { slurp($_) } @files;
like $index, qr/Raw 1/, 'the index was looked at where cards are';

$t->finish;
