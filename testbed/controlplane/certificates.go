package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority signs every certificate of one cluster.
type authority struct {
	folder      string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

// identity is who a certificate names: a Kubernetes user and groups, or the addresses of a server.
type identity struct {
	user   string
	groups []string
	ips    []net.IP
	names  []string
}

// pair is a certificate with its key, as PEM text and as files.
type pair struct {
	certificate, key         []byte
	certificateFile, keyFile string
}

func newAuthority(folder string) (*authority, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := lasting(pkix.Name{CommonName: "reeve testbed"})
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	made := &authority{folder: folder, certificate: certificate, key: key, pem: encode("CERTIFICATE", der)}
	if err := os.WriteFile(made.file("ca.crt"), made.pem, 0o644); err != nil {
		return nil, err
	}
	return made, writeKey(made.file("ca.key"), key)
}

func (a *authority) file(name string) string { return filepath.Join(a.folder, name) }

// issue writes NAME.crt and NAME.key, good for servers and clients.
func (a *authority) issue(name string, who identity) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	template := lasting(pkix.Name{CommonName: who.user, Organization: who.groups})
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	template.IPAddresses = who.ips
	template.DNSNames = who.names
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return pair{}, err
	}
	made := pair{certificate: encode("CERTIFICATE", der), certificateFile: a.file(name + ".crt"), keyFile: a.file(name + ".key")}
	if err := os.WriteFile(made.certificateFile, made.certificate, 0o644); err != nil {
		return pair{}, err
	}
	if err := writeKey(made.keyFile, key); err != nil {
		return pair{}, err
	}
	made.key, err = os.ReadFile(made.keyFile)
	return made, err
}

// serviceAccountKey writes sa.key and sa.pub, with which ServiceAccount tokens are signed and checked.
func (a *authority) serviceAccountKey() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := os.WriteFile(a.file("sa.pub"), encode("PUBLIC KEY", public), 0o644); err != nil {
		return err
	}
	return writeKey(a.file("sa.key"), key)
}

// client is a TLS configuration that trusts the cluster and shows the given certificate.
func (a *authority) client(as pair) (*tls.Config, error) {
	certificate, err := tls.X509KeyPair(as.certificate, as.key)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}}, nil
}

func lasting(subject pkix.Name) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(30 * 24 * time.Hour),
	}
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func writeKey(file string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(file, encode("EC PRIVATE KEY", der), 0o600)
}
