# A card that is a link to a file of the collection follows that file: what
# becomes of it, and of anything on the way to it, is seen.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path remove_tree);
use Test::More;
use Cardfeed::Seen;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(workers => 1, collection => 'poll=1h');
my $content = $t->content;

sub text {
    my ($title) = @_;
    return "---\ntitle: $title\ndate: 2021-01-01\ntopics: [L]\n---\n";
}

# Every card twice, by its own name and by a link; or by the link alone.
sub is_seen {
    my ($want, $what) = @_;
    my $have;
    $want = join ' ', sort split / /, $want;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    wait_for(sub { ($have = join ' ', sort split / /, $t->titles('l'))
        eq $want }, $what) ? pass $what : diag "last seen: $have";
}

make_path("$content/posts/2021", "$content/shared/texts", "$content/top");
$t->file('shared/texts/one.txt', text('one'));
symlink '../../shared/texts/one.txt', "$content/posts/2021/one.md" or die $!;
$t->start;
is_seen('one', 'a link to a text');

$t->file_in_place('shared/texts/one.txt', text('in-place'));
is_seen('in-place', 'the text is rewritten in place');
$t->file('shared/texts/one.txt', text('renamed'));
is_seen('renamed', 'is renamed over');
unlink "$content/shared/texts/one.txt" or die $!;
is_seen('renamed', 'is deleted: the link leads nowhere, its card stays');
$t->wait_log(qr{"posts/2021/one\.md": symbolic link leads nowhere}, 'said');
$t->file('shared/texts/one.txt', text('back'));
is_seen('back', 'and is there again');

# Links that come later, links to links, cards that are linked.
$t->file('top/card.md', text('card'));
symlink 'top/card.md', "$content/link.md" or die $!;
symlink 'link.md', "$content/second.md" or die $!;
symlink './posts/.././second.md', "$content/third.md" or die $!;
is_seen('back card card card card', 'links to links');
$t->file_in_place('top/card.md', text('new'));
is_seen('back new new new new', 'the card changes: so do all of them');
symlink 'shared/texts/one.txt', "$content/new.md" or die $!;
rename "$content/new.md", "$content/link.md" or die $!;
is_seen('back back back back new', 'a link in between leads elsewhere');
$t->file('top/card.md', text('alone'));
is_seen('back back back back alone', 'where it led is no concern');
$t->file('shared/texts/one.txt', text('many'));
is_seen('many many many many alone', 'where it leads is');

# Directories on the way.
rename "$content/shared/texts", "$content/texts" or die $!;
rename "$content/texts", "$content/shared/other" or die $!;
$t->wait_log(qr{"third\.md": symbolic link leads nowhere}, 'a directory goes');
rename "$content/shared", "$content/away" or die $!;
make_path("$content/shared/texts");
$t->file('shared/texts/one.txt', text('made'));
is_seen('made made made made alone', 'another one comes');
unlink "$content/$_.md" or die $! for qw(second third);
is_seen('made made alone', 'links go');
remove_tree("$content/shared");
rename "$content/away/other", "$content/away/texts" or die $!;
rename "$content/away", "$content/shared" or die $!;
is_seen('many many alone', 'the first is moved back');

# A link is no card for a moment only because its file is being written.
my @seen = seen_while($t, '/feeds/l.rss', sub {
    join ' ', sort $_[0]->body =~ m{<item>\s*<title>([^<]*)}g
}, sub {
    my $path = "$content/shared/texts/one.txt";
    open my $fh, '>', $path or die $!;
    $fh->autoflush(1);
    print {$fh} substr text('slow'), 0, 20;
    chmod 0600, $path;
    $t->file('top/card.md', text('aside'));
    is_seen('many many aside', 'a slow writer');
    print {$fh} substr text('slow'), 20;
    close $fh;
    is_seen('slow slow aside', 'that is done');
});
is_deeply [grep { !/^(?:alone|aside) many many$|^(?:alone|aside) slow slow$/ }
    @seen], [], 'and never none' or diag join ', ', @seen;

# Circles, and links out of the collection, lead nowhere, and are no end.
symlink 'b.md', "$content/a.md" or die $!;
symlink 'a.md', "$content/b.md" or die $!;
symlink '../../elsewhere.md', "$content/top/out.md" or die $!;
$t->wait_log(qr{"b\.md": symbolic link leads in a circle}, 'a circle');
unlink "$content/b.md" or die $!;
$t->file('b.md', text('b'));
is_seen('slow slow aside b b', 'is opened');

$t->finish;
