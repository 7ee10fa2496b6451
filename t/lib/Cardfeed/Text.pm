package Cardfeed::Text;

# What stands in the files of a storm: numbered texts, each different from all
# others.  A card says in its excerpt what its other fields are, so that who
# reads a feed can tell a whole version from a mixture of two.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Encode qw(encode_utf8 decode_utf8);
use Exporter 'import';
use JSON::PP ();

use Cardfeed::Test;

our @EXPORT = qw(make_text seal slug_of topic_slugs secret_slug);

my $JSON = JSON::PP->new->allow_nonref->canonical;

# Slug => spellings.
my %TOPICS = (
    'csharp' => ['C#', 'c#'],
    'dotnet' => ['.NET'],
    'topic-all' => ['All', 'ALL'],
    'canvas-apps' => ['Canvas apps', 'Canvas Apps', 'canvas APPS'],
    'straße' => [],
    'strasse' => ['Straße', 'Strasse'],
    '日本語' => ['日本語'],
    (map { ("topic-$_" => ["Topic $_"]) } 1 .. 6),
);
%TOPICS = map { decode_utf8($_) => [map { decode_utf8($_) } @{$TOPICS{$_}}] }
    grep { @{$TOPICS{$_}} } keys %TOPICS;
my %SLUG = map { my $slug = $_; map { $_ => $slug } @{$TOPICS{$slug}} }
    keys %TOPICS;
my @NAMES = sort keys %SLUG;
my @WORDS = ('&', '<b>', '"quoted"', "it's", decode_utf8('grün'),
    decode_utf8('日本'), ']]>', '\\', qw(one two three four five six));

sub topic_slugs { sort keys %TOPICS }
sub slug_of { $SLUG{$_[0]} }

# Of a topic that hidden and broken cards name, never one in feeds.
sub secret_slug { 'secret' }

# What a card's excerpt begins with.
sub seal {
    my ($title, $published, @topics) = @_;
    return substr md5_hex(encode_utf8(join '|', $title, $published, @topics)),
        0, 12;
}

sub _filler {
    my ($most) = @_;
    return join ' ', map { $WORDS[rand @WORDS] } 1 .. rand $most;
}

# One line a field, in YAML that is JSON.
sub _matter {
    my (%field) = @_;
    return join '', map { "$_: " . $JSON->encode($field{$_}) . "\n" }
        sort keys %field;
}

my %HIDE = (
    draft => sub { "draft: true\n" },
    unpublished => sub { "published: false\n" },
    expired => sub { "expiryDate: 2020-01-01\n" },
    waiting => sub { "publishDate: 2200-01-01\n" },
    undated => sub { '' },
);

# What is rejected; the beginnings of all of them are rejected as well, or
# are no cards.
my %BREAK = (
    yaml => sub { "---\n$_[0]oops: [\n---\nbody\n" },
    date => sub { "---\n$_[0]date: 2020-13-45\n---\n" },
    flag => sub { "---\n$_[0]draft: perhaps\n---\n" },
    utf8 => sub { "---\nname: \"\xff\"\n$_[0]---\n" },
    unclosed => sub { "---\n$_[0]" },
    big => sub { "---x\n" . "$_[0]\n" x (1 + 300_000 / length $_[0]) },
);

my %PLAIN = (
    none => sub { '' },
    text => sub { "No card, number $_[0].\n" },
    late => sub { "\n---\ntitle: n$_[0]\ndate: 2020-01-01\n---\n" },
);

sub _one { my @all = sort keys %{$_[0]}; return $_[0]{$all[rand @all]} }

# (bytes, what the model is to know) of text number n; kind: see the model;
# id: an identity, or undef.
sub make_text {
    my ($n, $kind, $id) = @_;

    my %text = (n => $n, kind => $kind, topics => []);
    return (_one(\%PLAIN)->($n), %text) if $kind eq 'plain';

    my $title = "n$n " . _filler(6) =~ s/^ +| +$//gr;
    $title =~ s/ +$//;
    # Few times, so that many cards share one.
    my $date = rfc3339(1_600_000_000 + 100_000 * int rand 30);
    my %seen;
    my @topics = grep { !$seen{$SLUG{$_}}++ }
        map { $NAMES[rand @NAMES] } 1 .. rand 4;
    my %field = (title => $title, topics => \@topics,
        excerpt => seal($title, $date, @topics) . '. ' . _filler(40) . '.');
    $field{webUrl} = "https://example.org/$n" if rand() < 0.5;
    $field{id} = $id if defined $id;

    if ($kind eq 'card') {
        %text = (%text, title => $title, date => $date, tags => \@topics,
            topics => [map { $SLUG{$_} } @topics], id => $id,
            excerpt => $field{excerpt}, url => $field{webUrl});
        # Large ones are read by threads of their own.
        my $body = rand() < 0.1 ? _filler(20_000) : _filler(50);
        return (encode_utf8("---\n" . _matter(%field, date => $date)
            . "---\n$body\n"), %text);
    }

    $field{topics} = ['Secret'];
    if ($kind eq 'hidden') {
        my $how = (sort keys %HIDE)[rand keys %HIDE];
        $field{date} = $date if $how !~ /undated|waiting/;
        return (encode_utf8("---\n" . _matter(%field)) . $HIDE{$how}->()
            . "---\nhidden\n", %text, id => $id);
    }
    return (_one(\%BREAK)->(encode_utf8(_matter(%field))), %text);
}

1;
