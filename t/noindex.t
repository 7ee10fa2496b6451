# An index that cannot be made: nginx runs, feeds are 503, it is tried again.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Test;

my $t = Cardfeed::Test->new;
$t->card('one.md', {title => 'one', date => '2021-01-01', topics => ['A'],
    webUrl => 'https://example.org/one'});
$t->start;

$t->stop;
rename $t->dir . '/index', $t->dir . '/kept' or die $!;
open my $file, '>', $t->dir . '/index' or die $!;
close $file;
my $owner = (stat $t->dir . '/index')[4];
$t->start(ready => 0);
wait_for(sub { ($t->get('/feeds/all.rss')->status // 0) == 503 },
    'without an index directory feeds are 503 and nginx runs');
ok scalar($t->log_lines(qr/is not a directory/)), 'and the log says why';
is +(stat $t->dir . '/index')[4], $owner, 'what is there is left alone';
unlink $t->dir . '/index' or die $!;
rename $t->dir . '/kept', $t->dir . '/index' or die $!;
wait_for(sub { $t->get('/feeds/all.rss')->status == 200 },
    'it is tried again', 15);

$t->finish;
