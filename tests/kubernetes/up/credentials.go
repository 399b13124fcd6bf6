package up

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Who may come in with a token from a file. The last is the group that RBAC lets do everything.
var identities = map[string]string{
	"admin":       `admin,admin,"system:masters"`,
	"controllers": `system:kube-controller-manager,controllers`,
	"scheduler":   `system:kube-scheduler,scheduler`,
}

// Longer than a clock takes that runs ahead of the machine's, like that of the local cloud's functions.
const lifetime = 100 * 365 * 24 * time.Hour

// credentials makes, once for a folder, all that is secret: the certificates, the key of service accounts, the tokens.
func credentials(folder string) (map[string]string, error) {
	tokens := map[string]string{}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if text, err := os.ReadFile(filepath.Join(folder, "tokens.csv")); err == nil {
		for line := range strings.Lines(string(text)) {
			fields := strings.Split(strings.TrimSpace(line), ",")
			tokens[fields[2]] = fields[0]
		}
		return tokens, nil
	}
	if err := certificates(folder); err != nil {
		return nil, err
	}
	if err := serviceAccountKey(folder); err != nil {
		return nil, err
	}
	var lines strings.Builder
	for name, who := range identities {
		secret := make([]byte, 16)
		rand.Read(secret)
		tokens[name] = hex.EncodeToString(secret)
		fmt.Fprintf(&lines, "%s,%s\n", tokens[name], who)
	}
	// Written last: with it, the folder is complete.
	return tokens, os.WriteFile(filepath.Join(folder, "tokens.csv"), []byte(lines.String()), 0o600)
}

// certificates makes an authority and one certificate by it, for the API server.
func certificates(folder string) error {
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	authority := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "kubernetes"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(lifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	if err != nil {
		return err
	}
	serverKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "kube-apiserver"},
		DNSNames:     []string{"localhost", "kubernetes.default.svc"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:    authority.NotBefore,
		NotAfter:     authority.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	serverDER, err := x509.CreateCertificate(rand.Reader, server, authority, serverKey.Public(), authorityKey)
	if err != nil {
		return err
	}
	serverKeyDER, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		return err
	}
	return writePEM(folder, map[string]*pem.Block{
		"ca.crt":     {Type: "CERTIFICATE", Bytes: authorityDER},
		"server.crt": {Type: "CERTIFICATE", Bytes: serverDER},
		"server.key": {Type: "PRIVATE KEY", Bytes: serverKeyDER},
	})
}

func serviceAccountKey(folder string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return writePEM(folder, map[string]*pem.Block{
		"accounts.key": {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)},
		"accounts.pub": {Type: "PUBLIC KEY", Bytes: public},
	})
}

func writePEM(folder string, blocks map[string]*pem.Block) error {
	for name, block := range blocks {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}
