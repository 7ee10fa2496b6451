package Cardfeed::Response;

# What came back over a connection, as it was: status, headers, body.

use strict;
use warnings;

sub new {
    my ($class, $bytes) = @_;

    my ($head, $body) = split /\r\n\r\n/, $bytes, 2;
    my ($first, @lines) = split /\r\n/, $head // '';
    my ($status) = ($first // '') =~ m{^HTTP/1\.[01] (\d{3})};
    my @headers = map { [/^([^:]+):\s*(.*?)\s*$/] } @lines;
    return bless {
        status => $status // 0, head => $head // '', body => $body // '',
        headers => \@headers,
    }, $class;
}

sub status { $_[0]{status} }
sub head { $_[0]{head} }
sub body { $_[0]{body} }

# Every value of a header.
sub headers {
    my ($self, $name) = @_;
    return map { $_->[1] } grep { lc $_->[0] eq lc $name }
        @{$self->{headers}};
}

# Its first value, or undef.
sub header {
    my ($self, $name) = @_;
    my ($first) = $self->headers($name);
    return $first;
}

1;
