package up

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// children are the processes of a cluster. The kernel ends them when the thread that started them goes, so it has to be one that stays.
type children struct {
	logs    string
	running []child
	ended   chan error
}

type child struct {
	process *os.Process
	gone    chan struct{}
}

func newChildren(logs string) *children {
	runtime.LockOSThread()
	return &children{logs: logs, ended: make(chan error, 8)}
}

// start runs this binary by another name, with its output in a file.
func (c *children) start(name string, flags ...string) {
	log := filepath.Join(c.logs, name+".log")
	command := exec.Command("/proc/self/exe", append([]string{name}, flags...)...)
	command.Args[0] = "kubernetes"
	// A group of its own, because what ends a cluster at a terminal is for us to pass on.
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	output, err := os.Create(log)
	if err != nil {
		c.ended <- err
		return
	}
	defer output.Close()
	command.Stdout, command.Stderr = output, output
	if err := command.Start(); err != nil {
		c.ended <- fmt.Errorf("%s: %w", name, err)
		return
	}
	gone := make(chan struct{})
	c.running = append(c.running, child{command.Process, gone})
	go func() {
		command.Wait()
		close(gone)
		c.ended <- fmt.Errorf("%s ended with %s; the end of %s:\n%s", name, command.ProcessState, log, lastLines(log))
	}()
}

// until waits for what is to become ready. That a child ends, or the context, is an error.
func (c *children) until(ctx context.Context, ready <-chan error) error {
	select {
	case err := <-c.ended:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case err := <-ready:
		return err
	}
}

// end ends all without asking: nobody needs the data of a cluster that is stopped, and etcd's are whole in any case.
func (c *children) end() {
	for _, child := range c.running {
		child.process.Kill()
	}
	for _, child := range c.running {
		<-child.gone
	}
}

func lastLines(log string) string {
	text, _ := os.ReadFile(log)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// untilOrphaned ends when the parent has gone, or has closed the pipe that is our stdin.
func untilOrphaned(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	orphaned := errors.New("nobody waits for this cluster any more")
	if stdin, err := os.Stdin.Stat(); err == nil && stdin.Mode()&os.ModeNamedPipe != 0 {
		go func() {
			io.Copy(io.Discard, os.Stdin)
			cancel(orphaned)
		}()
	}
	parent := os.Getppid()
	go func() {
		for os.Getppid() == parent {
			time.Sleep(200 * time.Millisecond)
		}
		cancel(orphaned)
	}()
	return ctx
}
