# Crypt::JWT behind one line protocol; `interop/adapters/__init__.py` says what the lines are.

use strict;
use warnings;
use Crypt::JWT qw(decode_jwt encode_jwt);
use JSON::PP;

my $json = JSON::PP->new->utf8->canonical;

sub verify {
    my ($ask) = @_;
    return decode_jwt(
        token        => $ask->{token},
        key          => $ask->{jwk},
        accepted_alg => $ask->{alg},
        verify_iss   => sub { $_[0] eq $ask->{issuer} },
        verify_aud   => sub { $_[0] eq $ask->{audience} },
        verify_exp   => 1,
        verify_nbf   => 1,
    );
}

sub sign {
    my ($ask) = @_;
    return encode_jwt(
        payload       => $ask->{claims},
        alg           => $ask->{alg},
        key           => $ask->{jwk},
        extra_headers => { kid => $ask->{kid}, typ => 'JWT' },
    );
}

sub answer {
    my ($ask) = @_;
    return {
        ok        => JSON::PP::true,
        runtime   => sprintf('%vd', $^V),
        libraries => { 'Crypt::JWT' => "$Crypt::JWT::VERSION" },
    } if $ask->{op} eq 'about';
    my $found = eval { $ask->{op} eq 'verify' ? { claims => verify($ask) } : { token => sign($ask) } };
    return { ok => JSON::PP::true, %$found } if $found;
    my $error = "$@";
    $error =~ s/ at \S+ line \d+\.?\s*\z//;
    return { ok => JSON::PP::false, error => $error };
}

$| = 1;
while (my $line = <STDIN>) {
    print $json->encode(answer($json->decode($line))), "\n";
}
