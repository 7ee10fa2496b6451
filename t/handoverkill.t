# Workers that are killed: their successors read what changed meanwhile, and
# nothing else.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);
use Cardfeed::Handover;
use Cardfeed::Test;

my $COLD = 100;

my $t = Cardfeed::Test->new(allow => [qr/exited on signal 9/]);

sub card {
    my ($number, $title) = @_;
    $t->card(sprintf('d%d/%03d.md', $number % 5, $number), {
        title => $title // "c$number", topics => ['Kill'],
        date => rfc3339(1_600_000_000 + $number),
        webUrl => "https://example.org/$number"});
}

sub want {
    my (%changed) = @_;
    return join ' ', map { $changed{$_} // "c$_" } grep { $_ != 50 }
        reverse 1 .. $COLD + 2;
}

card($_) for 1 .. $COLD;
settle($t);
$t->start;
my $first = wait_one_indexer($t, 'one process indexes');
my $seen = watch_indexers($t);

# --- the one that indexes, stopped first so that it sees nothing of it

kill 'STOP', $first;
card(7, 'seven');
card(8, 'eight');
card(9, 'nine');
card($_) for $COLD + 1 .. $COLD + 2;
$t->remove('d0/050.md');
my $mark = $t->mark;
kill 'KILL', $first;
is_deeply [reconciled($t, 'the next one reconciles', $mark)], [5, $COLD + 1],
    'what changed meanwhile is read, nothing else';
my %changed = (7 => 'seven', 8 => 'eight', 9 => 'nine');
is $t->titles('all'), want(%changed), 'the feed is right';
my $second = wait_one_indexer($t, 'one process indexes again');
isnt $second, $first, 'another one';
my $died = time;
ok !$t->log_lines(qr/built anew/, $mark), 'the index is trusted';

# --- a second death: whatever the reason, a new index; nothing is missed

my $written = write_cards($t, 20, 'Hot');
$t->wait_titles('hot', qr/^(?:hot\d+ ?){20}$/, 'cards change');
wait_for(sub { time - $died > 1.1 }, 'deaths within a second are one');
$mark = $t->mark;
kill 'KILL', $second;
$t->wait_log(qr/built anew: .*died twice/, 'a second death', $mark);
$t->wait_log(qr/"news" is ready/, 'a new index', $mark);
my $last = $written->();
$t->wait_titles('hot', join(' ', map { "hot$_" } map { $last->{$_} }
    sort { $b cmp $a } keys %$last), 'no change was missed');
$t->wait_titles('kill', want(%changed), 'and nothing was lost');

# --- one that only reads

my $third = wait_one_indexer($t, 'one process indexes once more');
my ($reader) = grep { $_ != $third } $t->workers;
$mark = $t->mark;
kill 'KILL', $reader;
wait_for(sub { my @w = $t->workers; @w == 2 && !grep { $_ == $reader } @w },
    'a reader is killed and replaced');
card(10, 'ten');
$t->wait_titles('kill', want(%changed, 10 => 'ten'), 'all goes on');
is wait_one_indexer($t, 'with one indexer'), $third, 'the one there was';
ok !$t->log_lines(qr/built anew|reconciled/, $mark), 'nothing is read again';

my ($most, @seen) = $seen->();
is $most, 1, 'one indexer at any time';
my %told = map { $_ => 1 } told_indexers($t);
is_deeply [grep { !$told{$_} } @seen], [], 'one that said so in the log';
ok @seen > 1, 'and it was not the same all the time';

$t->finish;
