# A new binary takes over from the old one: requests and the index.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(daemon => 1);

sub card {
    my ($title, $date) = @_;
    $t->card("$title.md", {title => $title, date => $date,
        topics => ['Upgrade'], webUrl => "https://example.org/$title"});
}

card('one', '2021-01-01');
$t->start;
$t->wait_titles('all', 'one', 'the old binary serves');

my $old = $t->pid;
kill 'USR2', $old;
my $new = wait_for(sub {
    my ($pid) = slurp($t->dir . '/nginx.pid') =~ /^(\d+)\n/;
    return $pid && $pid != $old && -e $t->dir . '/nginx.pid.oldbin' && $pid;
}, 'a new master');
wait_for(sub { $t->_children($new) == 2 }, 'its workers');
card('two', '2021-01-02');
$t->wait_titles('all', 'two one', 'both serve, one of them indexes');

# The way back: the new one leaves, the old one goes on.
kill 'QUIT', $new;
wait_for(sub { !$t->alive($new) }, 'the new one leaves');
card('three', '2021-01-03');
$t->wait_titles('all', 'three two one', 'the old one serves and indexes on');

# And forward.
wait_for(sub { slurp($t->dir . '/nginx.pid') =~ /^$old\n/ },
    'the old one has its name back');
kill 'USR2', $old;
$new = wait_for(sub {
    my ($pid) = slurp($t->dir . '/nginx.pid') =~ /^(\d+)\n/;
    return $pid && $pid != $old && -e $t->dir . '/nginx.pid.oldbin' && $pid;
}, 'a new master again');
wait_for(sub { $t->_children($new) == 2 }, 'its workers');
kill 'QUIT', $old;
wait_for(sub { !$t->alive($old) }, 'the old one leaves');
$t->{pid} = $new;
card('four', '2021-01-04');
$t->wait_titles('all', 'four three two one', 'the new one serves and indexes');

$t->finish;
