# git-sync: a link that leads to one worktree after the other, switched in one
# step; the old one is removed later.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path remove_tree);
use Test::More;
use Cardfeed::Seen;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(workers => 1, absent => 1,
    collection => 'poll=1h', content => undef);
my $root = $t->dir . '/git';
$t->{content} = "$root/current/content/news";

# As git-sync does it: --root=ROOT --link=current.
my $worktree;
sub sync {
    my ($hash, @titles) = @_;

    my $old = $worktree;
    $worktree = "$root/.worktrees/$hash";
    make_path("$worktree/content/news/deep");
    for my $title (@titles) {
        open my $fh, '>', "$worktree/content/news/deep/$title.md" or die $!;
        print {$fh} "---\ntitle: $title\ndate: 2021-01-01\n---\n";
        close $fh or die $!;
    }
    symlink ".worktrees/$hash", "$root/tmp-link" or die $!;
    rename "$root/tmp-link", "$root/current" or die $!;
    remove_tree($old) if $old;
}

sub sorted {
    my ($res) = @_;
    return join ' ', sort $res->body =~ m{<item>\s*<title>([^<]*)}g;
}

sub is_seen {
    my ($want, $what) = @_;
    my $have;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    wait_for(sub { ($have = sorted($t->get('/feeds/all.rss'))) eq $want },
        $what) ? pass $what : diag "last seen: $have";
}

$t->start(ready => 0);
$t->wait_log(qr/does not exist; waiting for it/, 'before the first sync');
is $t->get('/feeds/all.rss')->status, 503, 'nothing to serve';
sync('a1b2', qw(one two));
is_seen('one two', 'the first sync');

my @seen = seen_while($t, '/feeds/all.rss', \&sorted, sub {
    sync('c3d4', qw(one three));
    is_seen('one three', 'the second');
    sync('e5f6', qw(four));
    is_seen('four', 'the third');
});
# The reader may be too slow for the one in the middle.
like join(', ', @seen), qr/^one two, (?:one three, )?four$/,
    'each is seen as a whole, and nothing between';

# Two at once, and one that is taken back.
sync('0708', qw(five));
sync('0900', qw(six));
is_seen('six', 'two at once');
sync('0708', qw(five));
is_seen('five', 'back again');

$t->finish;
