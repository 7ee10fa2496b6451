# Reloads and upgrades while cards change all the time: one indexer at any
# time, no change is missed, what did not change is not read again.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Handover;
use Cardfeed::Test;

my ($COLD, $HOT) = (300, 20);

my $t = Cardfeed::Test->new(daemon => 1);

$t->card(sprintf('d%d/%03d.md', $_ % 5, $_), {title => "cold$_",
    date => rfc3339(1_600_000_000 + $_), topics => ['Cold'],
    webUrl => "https://example.org/$_"}) for 1 .. $COLD;
settle($t);
$t->start;
my $cold = $t->titles('cold');
is scalar(split / /, $cold), $COLD, 'a site';

my $seen = watch_indexers($t);
my $written = write_cards($t, $HOT, 'Hot');
$t->wait_titles('hot', qr/^(?:hot\d+ ?){$HOT}$/, 'cards change');

# The hot ones may be read twice when they change during the walk.
sub handed_over {
    my ($mark, $what) = @_;

    my ($parsed, $files) = reconciled($t, $what, $mark);
    is $files, $COLD + $HOT, "$what: every file is looked at";
    ok $parsed <= 2 * $HOT, "$what: what did not change is not read"
        or diag "$parsed were read";
    my $pid = wait_one_indexer($t, "$what: one process indexes");
    ok scalar(grep { $_ == $pid } $t->workers), "$what: a new worker";
}

for my $round (1 .. 4) {
    my $mark = $t->mark;
    $t->reload;
    handed_over($mark, "reload $round");
}

# --- a new binary, and back

sub upgrade {
    my $old = $t->pid;
    kill 'USR2', $old;
    my $new = wait_for(sub {
        my ($pid) = slurp($t->dir . '/nginx.pid') =~ /^(\d+)\n/;
        return $pid && $pid != $old && -e $t->dir . '/nginx.pid.oldbin'
            && $pid;
    }, 'a new master');
    wait_for(sub { $t->_children($new) == 2 }, 'its workers');
    wait_for(sub { indexing($t) == 2 }, 'one of them waits its turn');
    return ($old, $new);
}

my $mark = $t->mark;
my ($old, $new) = upgrade();
my ($before) = holders($t);
ok scalar(grep { $_ == $before } $t->workers), 'both: the old one indexes';
kill 'QUIT', $old;
wait_for(sub { !$t->alive($old) }, 'the old one leaves');
$t->{pid} = $new;
handed_over($mark, 'upgraded');

$mark = $t->mark;
($old, $new) = upgrade();
kill 'QUIT', $new;
wait_for(sub { !$t->alive($new) }, 'the newest one leaves');
wait_one_indexer($t, 'back: one process indexes');
is_deeply [told_indexers($t, $mark)], [], 'back: it never was another one';

# --- nothing was missed, and there was one at any time

my $last = $written->();
my $want = join ' ', map { "hot$_" } map { $last->{$_} }
    sort { $b cmp $a } keys %$last;
$t->wait_titles('hot', $want, 'every card as it was saved last');
is $t->titles('cold'), $cold, 'and all others';

my ($most, @seen) = $seen->();
is $most, 1, 'one indexer at any time';
is_deeply \@seen, [told_indexers($t)], 'those that said so in the log';

$t->finish;
