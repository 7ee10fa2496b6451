# An index path the workers may not write to, at a start and while they run:
# what there is is served, it is told once and tried again, and all is right
# as soon as they may.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Handover;
use Cardfeed::Test;

plan skip_all => 'root is needed to run workers as somebody else' if $>;

# One worker: one that had never asked could not open what is taken away.
my $t = Cardfeed::Test->new(user => 'www-data', workers => 1);
my $index = $t->dir . '/index';

my ($n, @titles) = (0);

sub card {
    $n++;
    $t->card("c$n.md", {title => "c$n", topics => ['Place'],
        date => rfc3339(1_600_000_000 + $n),
        webUrl => "https://example.org/$n"});
    unshift @titles, "c$n";
}

# Lines of trouble with the index, since a mark.
sub trouble {
    my ($mark) = @_;
    return $t->log_lines(qr/\[error\].*"news": .*(?:Permission denied)/,
        $mark);
}

card();

# --- a path that is not theirs: owned by nobody's friend, no way in

mkdir $index or die $!;
mkdir "$index/news" or die $!;
chmod 0700, "$index/news" or die $!;
$t->start(ready => 0);
is $t->get('/feeds/all.rss')->status, 503, 'no way in: 503';
$t->wait_log(qr/\[error\].*"news": index ".*": .*Permission denied/,
    'no way in: told');
my ($uid, $gid) = (getpwnam 'www-data')[2, 3];
chown $uid, $gid, "$index/news" or die $!;
$t->wait_titles('all', "@titles", 'no way in: until there is one', 15);
wait_one_indexer($t, 'no way in: then one process indexes');

# --- it is taken from them while they run: what is open is served and written

chown 0, 0, "$index/news" or die $!;
my $mark = $t->mark;
card();
$t->wait_titles('all', "@titles", 'taken away: what is open goes on');

# Another index is wanted now, which they cannot make.
$t->{collection} = 'exclude=none';
$t->reload(wait => 0);
$t->wait_log(qr/\[error\].*"news": index ".*": .*Permission denied/,
    'reloaded: told', $mark);
chown $uid, $gid, "$index/news" or die $!;
$t->wait_titles('all', "@titles", 'given back: served again', 15);
$t->wait_log(qr/"news" is ready/, 'given back: a new index', $mark, 15);
card();
$t->wait_titles('all', "@titles", 'given back: and kept up');

# --- readable but not writable: what there is is served

my ($generation) = grep { -d } glob "$index/news/*-*-*";
is $t->stop, 0, 'stopped';
chmod 0500, "$index/news" or die $!;
card();
$mark = $t->mark;
$t->start(ready => 0);
$t->wait_titles('all', "@titles", 'no new files: served and kept up');
$t->{collection} = '';
$t->reload;
card();
like $t->titles('all'), qr/^(?:c\d+ ?)+$/,
    'no new index can be made: the old one serves';
$t->wait_log(qr/\[error\].*"news": index: .*Permission denied; trying again/,
    'no new index can be made: told', $mark);
is scalar(trouble($mark)), 1, 'no new index can be made: told once';
chmod 0700, "$index/news" or die $!;
$t->wait_titles('all', "@titles", 'it can: it is made', 20);

$t->finish;
