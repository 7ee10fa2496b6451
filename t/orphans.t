# A master that is killed: nginx's workers live on, serve and index, until
# another nginx would have the index; then they give way and read on.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Handover;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(daemon => 1);

sub card {
    my ($title, $date, $file) = @_;
    $t->card($file // "$title.md", {title => $title, date => $date,
        topics => ['Orphan'], webUrl => "https://example.org/$title"});
}

# What a worker of the old port says.
sub old_titles {
    my ($port) = @_;
    local $t->{port} = $port;
    return $t->titles('all');
}

card('one', '2021-01-01');
card('one', '2021-01-01', 'one.html');
$t->start;
$t->wait_titles('all', qr/^one one$/, 'a site');

my @orphans = $t->workers;
my $old = wait_one_indexer($t, 'one process indexes');
my $master = $t->pid;
kill 'KILL', $master;
wait_for(sub { !$t->alive($master) }, 'the master is gone');

# --- alone, they go on

card('two', '2021-01-02');
$t->wait_titles('all', qr/^two one one$/,
    'without a master: its workers serve and index');
is_deeply [grep { $t->alive($_) } @orphans], \@orphans, 'both of them';

# --- another nginx, with other parameters, takes over

my $port = $t->port;
my $mark = $t->mark;
my $seen = watch_indexers($t);
unlink $t->dir . '/nginx.pid' or die $!;
delete $t->{pid};
$t->{port} = Cardfeed::Test::_free_port();
$t->{collection} = 'include=*.md';
$t->start(ready => 0);
like $t->titles('all'), qr/^two one(?: one)?$/,
    'the next nginx answers at once, from the index there is';
$t->wait_titles('all', 'two one', 'and gets an index of its own');
ok $t->wait_log(
    qr/\[warn\].*"news": the master of this process \(pid $old\) is gone: /,
    'the orphan gave way', $mark), 'the log says that the orphan gave way';
$t->wait_log(qr/"news": this process indexes/, 'the next one indexes', $mark);
my ($new) = told_indexers($t, $mark);
ok scalar(grep { $_ == $new } $t->workers), 'and that a new worker indexes';
is_deeply [holders($t)], [$new], 'it does';

# --- the orphans read what it commits

card('three', '2021-01-03');
$t->wait_titles('all', 'three two one', 'it indexes');
wait_for(sub { old_titles($port) eq 'three two one' },
    'the orphans serve what it commits');

# An orphan never comes back while others are there: a reload.
$t->{collection} = '';
$t->reload;
$t->wait_titles('all', qr/^three two one one$/, 'a reload');
card('four', '2021-01-04');
$t->wait_titles('all', qr/^four three two one one$/, 'and its indexer');
ok !(grep { $_ == $old } told_indexers($t, $mark)),
    'the orphan did not index again';

# --- when they are told to, they leave

kill 'QUIT', @orphans;
wait_for(sub { !grep { $t->alive($_) } @orphans }, 'the orphans end');
wait_one_indexer($t, 'one process is left that indexes');
my ($most) = $seen->();
is $most, 1, 'there was one indexer at any time';

$t->finish;
