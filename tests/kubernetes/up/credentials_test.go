package up

import (
	"crypto/tls"
	"crypto/x509"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestTheServersCertificateIsBelievedForThisMachineOnly(t *testing.T) {
	folder := t.TempDir()
	if _, err := credentials(folder); err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(filepath.Join(folder, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	believed := x509.NewCertPool()
	believed.AppendCertsFromPEM(authority)
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, "server.crt"), filepath.Join(folder, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"127.0.0.1": true, "localhost": true, "example.com": false} {
		for _, years := range []int{0, 60} {
			at := time.Now().AddDate(years, 0, 0)
			if _, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: believed, CurrentTime: at}); (err == nil) != want {
				t.Errorf("%s, in %d years: %v", name, years, err)
			}
		}
	}
}

func TestAClusterThatComesUpAgainHasTheSameTokens(t *testing.T) {
	folder := t.TempDir()
	first, err := credentials(folder)
	if err != nil {
		t.Fatal(err)
	}
	second, err := credentials(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != len(identities) || !maps.Equal(first, second) {
		t.Error(first, second)
	}
}
