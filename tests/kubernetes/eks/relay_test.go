package eks

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func TestAnAddressComesInOnlyByARangeThatHoldsIt(t *testing.T) {
	for _, row := range []struct {
		reason  string
		address string
		ranges  []string
		want    bool
	}{
		{"everybody", laptop, []string{"0.0.0.0/0"}, true},
		{"one of several", laptop, []string{"54.240.193.0/24", "203.0.113.8/29"}, true},
		{"others", laptop, []string{"54.240.193.0/24"}, false},
		{"no public endpoint", laptop, nil, false},
		{"an operator without a NAT gateway", "", []string{"0.0.0.0/0"}, false},
		{"the operator alone", "52.1.2.3", []string{"52.1.2.3/32"}, true},
	} {
		if got := isIn(row.address, row.ranges); got != row.want {
			t.Errorf("%s: %v", row.reason, got)
		}
	}
}

func TestWhoIsAdmittedIsPassedOnAndNobodyElseHearsAnything(t *testing.T) {
	server, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		for {
			client, err := server.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(client).ReadString('\n')
			client.Write([]byte("heard " + line))
			client.Close()
		}
	}()
	for admitted, want := range map[bool]string{true: "heard hello\n", false: ""} {
		ctx, stop := context.WithCancel(t.Context())
		address, err := listen(ctx, "https://"+server.Addr().String(), func(context.Context) bool { return admitted })
		if err != nil {
			t.Fatal(err)
		}
		client, err := net.Dial("tcp", strings.TrimPrefix(address, "https://"))
		if err != nil {
			t.Fatal(err)
		}
		client.Write([]byte("hello\n"))
		client.SetReadDeadline(time.Now().Add(time.Second))
		got, err := bufio.NewReader(client).ReadString('\n')
		if got != want || !admitted && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("admitted %v: %q, %v", admitted, got, err)
		}
		stop()
	}
}
