package eks

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"k8s.io/klog/v2"
)

const (
	// Where everybody on the internet is who is not the operator: an address for documentation.
	laptop = "203.0.113.10"
	// How old may be what is known of the ranges when a connection comes.
	rangesKeep = time.Second
	// On AWS, packets from elsewhere get no answer at all, so that a client gives up connecting: "dial tcp …:443: i/o timeout". This machine
	// answers for every port that somebody listens on; what a client waits for here is the server's part of TLS.
	silence = 30 * time.Second
)

// listen opens a port and passes on whoever is admitted when he comes. Who is in stays in.
func listen(ctx context.Context, endpoint string, admits func(context.Context) bool) (string, error) {
	listener, err := net.Listen("tcp", host+":0")
	if err != nil {
		return "", err
	}
	context.AfterFunc(ctx, func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				if admits(ctx) {
					pass(ctx, client, strings.TrimPrefix(endpoint, "https://"))
				} else {
					ignore(ctx, client)
				}
			}()
		}
	}()
	return "https://" + listener.Addr().String(), nil
}

// ignore answers nothing, for a while.
func ignore(ctx context.Context, client net.Conn) {
	ctx, stop := context.WithTimeout(ctx, silence)
	defer stop()
	go func() {
		io.Copy(io.Discard, client)
		stop()
	}()
	<-ctx.Done()
}

func pass(ctx context.Context, client net.Conn, address string) {
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for from, to := range map[net.Conn]net.Conn{client: server, server: client} {
		go func() {
			io.Copy(to, from)
			stop()
		}()
	}
	<-ctx.Done()
}

func (p *plane) admitsLaptop(ctx context.Context) bool {
	return p.admits(ctx, func(state) string { return laptop })
}

func (p *plane) admitsOperator(ctx context.Context) bool {
	return p.admits(ctx, func(now state) string { return now.Operator })
}

func (p *plane) admits(ctx context.Context, address func(state) string) bool {
	now, err := p.now(ctx, rangesKeep)
	if err != nil {
		klog.ErrorS(err, "lets nobody in", "cluster", p.at)
		return false
	}
	return isIn(address(now), now.Public)
}

// isIn is false for an address that there is not.
func isIn(address string, ranges []string) bool {
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	for _, each := range ranges {
		if prefix, err := netip.ParsePrefix(each); err == nil && prefix.Contains(parsed) {
			return true
		}
	}
	return false
}
