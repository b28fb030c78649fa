#!/bin/sh
# Certificates for the tests of TLS: good ones, and each of the others broken in one way.
#
#     certs.sh FOLDER      (made; some two seconds)
#
# NAME.pem is a certificate with its chain as a server sends it, NAME.key its key. Nothing here is ever trusted
# outside of a test.
set -eu
mkdir -p "$1"
cd "$1"

p256() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
rsa() { openssl genrsa -out "$1.key" "$2" 2>/dev/null; }

# root NAME SUBJECT DAYS
root() {
    openssl req -x509 -new -key "$1.key" -subj "$2" -days "$3" -out "$1.pem" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
}

# issue NAME SUBJECT ISSUER DAYS EXTENSIONS [OPTIONS...]: NAME.crt alone
issue() {
    name=$1 subject=$2 issuer=$3 days=$4 extensions=$5
    shift 5
    printf '%b' "$extensions" > ext
    openssl req -new -key "$name.key" -subj "$subject" -out req 2>/dev/null
    openssl x509 -req -in req -CA "$issuer.crt" -CAkey "$issuer.key" -CAcreateserial -days "$days" \
        -out "$name.crt" ${extensions:+-extfile ext} "$@" 2>/dev/null
}

ca='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'
leaf='basicConstraints=CA:FALSE\nsubjectAltName=DNS:good.example,DNS:*.wild.example,DNS:localhost,IP:127.0.0.1,IP:::1\n'
plain='basicConstraints=CA:FALSE\n'

# ---- the good tree: root, inter, and below it ----
p256 root; root root "/CN=Adder Test Root" 3650; cp root.pem root.crt
p256 inter; issue inter "/CN=Adder Test Intermediate" root 3650 "$ca"
p256 good; issue good "/CN=ignored.example" inter 400 "$leaf"; cat good.crt inter.crt > good.pem
p256 all; issue all "/CN=ignored.example" inter 400 "$leaf"; cat all.crt inter.crt root.crt > all.pem
rsa rsa 2048; issue rsa "/CN=good.example" inter 400 "$leaf"; cat rsa.crt inter.crt > rsa.pem
openssl ecparam -name secp384r1 -genkey -noout -out p384.key
issue p384 "/CN=good.example" inter 400 "$leaf"; cat p384.crt inter.crt > p384.pem
p256 named; issue named "/CN=named.example" inter 400 "$plain"; cat named.crt inter.crt > named.pem
p256 bynumber; issue bynumber "/CN=127.0.0.1" inter 400 "$plain"; cat bynumber.crt inter.crt > bynumber.pem
p256 sub; issue sub "/CN=Adder Test Deep CA" inter 3650 "$ca"
p256 deep; issue deep "/CN=device-7" sub 400 'basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n'
cat deep.crt sub.crt inter.crt > deep.pem
rsa client-rsa 2048; issue client-rsa "/CN=device-8" inter 400 "$plain"; cat client-rsa.crt inter.crt > client-rsa.pem
openssl x509 -in good.crt -outform DER -out good-1.der; openssl x509 -in inter.crt -outform DER -out good-2.der
cat good-1.der good-2.der > good.der; openssl ec -in good.key -outform DER -out good.key.der 2>/dev/null
openssl x509 -in root.crt -outform DER -out root.der

# ---- each broken in one way ----
# another authority altogether, one of the same name, and none
p256 other; root other "/CN=Somebody Else's Root" 3650; cp other.pem other.crt
p256 foreign; issue foreign "/CN=good.example" other 400 "$leaf"; cp foreign.crt foreign.pem
cat foreign.crt other.crt > foreign-root.pem
cat foreign.crt foreign.crt > doubled.pem; cp foreign.key doubled.key
p256 twin; root twin "/CN=Adder Test Root" 3650; cp twin.pem twin.crt
p256 impostor; issue impostor "/CN=good.example" twin 400 "$leaf"; cp impostor.crt impostor.pem
p256 selfsigned; openssl req -x509 -new -key selfsigned.key -subj "/CN=good.example" -days 400 \
    -addext subjectAltName=DNS:good.example -out selfsigned.pem 2>/dev/null
# one is missing, or not the right one
cp good.key nointer.key; cp good.crt nointer.pem
cp good.key wronginter.key; cat good.crt other.crt > wronginter.pem
# issued by what is no authority, or too deep below one
p256 nonca; issue nonca "/CN=No Authority" root 3650 "$plain"
p256 notca; issue notca "/CN=good.example" nonca 400 "$leaf"; cat notca.crt nonca.crt > notca.pem
p256 v1; issue v1 "/CN=Old Authority" root 3650 ''
p256 underv1; issue underv1 "/CN=good.example" v1 400 "$leaf"; cat underv1.crt v1.crt > underv1.pem
p256 short; issue short "/CN=Short CA" root 3650 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n'
p256 below; issue below "/CN=CA Below It" short 3650 "$ca"
p256 toodeep; issue toodeep "/CN=good.example" below 400 "$leaf"; cat toodeep.crt below.crt short.crt > toodeep.pem
issuer=root
: > long.tail
for i in 1 2 3 4 5 6 7 8 9 10; do
    p256 "long$i"; issue "long$i" "/CN=CA $i" $issuer 3650 "$ca"
    cat "long$i.crt" long.tail > long.new; mv long.new long.tail; issuer=long$i
done
p256 long; issue long "/CN=good.example" $issuer 400 "$leaf"; cat long.crt long.tail > long.pem
# weak, or for another use
p256 sha1; issue sha1 "/CN=good.example" inter 400 "$leaf" -sha1; cat sha1.crt inter.crt > sha1.pem
rsa rsa1024 1024; issue rsa1024 "/CN=good.example" inter 400 "$leaf"; cat rsa1024.crt inter.crt > rsa1024.pem
p256 usage; issue usage "/CN=good.example" inter 400 "${leaf}extendedKeyUsage=clientAuth\n"
cat usage.crt inter.crt > usage.pem
# dates: looked at through a clock of the test
p256 brief; issue brief "/CN=Brief CA" root 10 "$ca"
p256 underbrief; issue underbrief "/CN=good.example" brief 400 "$leaf"; cat underbrief.crt brief.crt > underbrief.pem

# ---- keys ----
openssl ec -in good.key -aes128 -passout pass:adder -out locked.key 2>/dev/null
openssl ecparam -name secp521r1 -genkey -noout -out p521.key
openssl genpkey -algorithm ed25519 -out ed25519.key 2>/dev/null
openssl pkcs8 -topk8 -nocrypt -in good.key -out good.pk8
rm -f req ext long.tail ./*.srl
