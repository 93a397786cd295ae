;;; ob-mesos-args-tests.el --- What blocks ask for  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The header arguments: their values, and what becomes of what they ask.

;;; Code:

(require 'ob-mesos-tests)

;;;; Values, good and bad

(ert-deftest ob-mesos-bad-values-are-refused-by-name ()
  (pcase-dolist (`(,header . ,name)
                 '((":cpus 0" . "cpus") (":cpus lots" . "cpus") (":cpus -1" . "cpus")
                   (":mem 1X" . "mem") (":mem -5" . "mem") (":lang klingon" . "lang")
                   (":priority 5000" . "priority") (":timeout soon" . "timeout")
                   (":env novalue" . "env") (":network bridge" . "network") (":health tcp" . "health")
                   (":kill-grace -1" . "kill-grace")))
    (ob-mesos-tests--with (ob-mesos-tests--block header "echo hi")
      (let* ((before (buffer-string))
             (err (should-error (org-babel-execute-src-block) :type 'user-error)))
        (should (string-search name (error-message-string err)))
        (should (equal before (buffer-string)))))))

(ert-deftest ob-mesos-nonsense-in-any-argument-is-one-error-that-names-it ()
  (random "nonsense")
  ;; `:cache' is read by Org itself before it comes to us.
  (dolist (argument (assq-delete-all 'cache (copy-sequence ob-mesos--arguments)))
    (pcase-let* ((`(,name ,synonyms ,type . ,_) argument)
                 (nonsense
                  (pcase type
                    ('any (cdr (assq name '((master "two words" "http://" "ftp://x:1" "-")
                                            (lang "klingon" "\"\"" "'(1)")
                                            (after "nobody" "nobody-else")
                                            (foreach "x" "=1" "'(1 2)")
                                            (files "no-such-file" "/no/such")
                                            (stdin "nobody")))))
                    ('ports '("0" "101" "-1" "1web" "web:x" "a/b" "\"\"" "\u263a"))
                    ('constraints '("hostname" "hostname:EQUALS:x" "hostname:IS:" "a:" "\"a b:IS:c\""))
                    ('expose '("x" "1:2:3" "80:" "-1" "http" "123456" "\"\""))
                    ('volumes '("x" "/a:b" "/a:/b:rx" "nonsense value" "/x:"))
                    ('uris '("relative" "x+extract" "+cache" "nonsense value"))
                    ('secrets '("x" "1A=2" "nonsense value" "TOKEN=nobody.invalid"))
                    ('health '("maybe" "http" "http web" "cmd" "\"tcp a b\"" "tcp"))
                    ('environment '("nonsense value" "-1e30" "=x" "1A=2" "'(1 2)"))
                    (_ (append
                        '("nonsense value" "-1e30" "\"\"" "'(1 2)" "\u263a" "1e99" "--"
                          "0x10" "NaN" "1,5" "%s" "\\0")
                        (cl-loop repeat 10
                                 ;; What begins with a quote, Org reads itself.
                                 collect (apply #'string ?x
                                                (cl-loop repeat (random 5)
                                                         collect (+ ?* (random 50))))))))))
      (dolist (each (cons name synonyms))
        (dolist (value nonsense)
          (unless (and (eq type 'word) (not (string-match-p "[ (]\\|\"\"" value)))
            (ob-mesos-tests--with (ob-mesos-tests--block (format ":%s %s" each value) "true")
              (ert-info ((format ":%s %s" each value))
                (let ((before (buffer-string)))
                  (should (string-match-p
                           (format ":\\(?:%s\\|after\\)\\(?:[^a-z-]\\|\\'\\)" each)
                           (error-message-string
                            (should-error (org-babel-execute-src-block)
                                          :type 'user-error))))
                  (should (equal before (buffer-string))))))))))))

(ert-deftest ob-mesos-what-a-block-asks-for-is-told-to-the-server ()
  (cl-flet ((asked (header)
              (ob-mesos-tests--with (ob-mesos-tests--block header "true")
                (ob-mesos--resources (nth 2 (org-babel-get-src-block-info))))))
    (pcase-dolist
        (`(,header ,field ,value)
         '((":ports 2" :ports ["0" "1"])
           (":ports web admin" :ports ["web" "admin"])
           (":constraints hostname:UNIQUE rack:like:a.*:b" :constraints
            [(:attribute "hostname" :operator "UNIQUE" :value "")
             (:attribute "rack" :operator "like" :value "a.*:b")])
           (":uris http://h/a+b.tgz+extract+as=x.tgz /f+cache+executable" :uris
            [(:value "http://h/a+b.tgz" :extract t :name "x.tgz")
             (:value "/f" :cache t :executable t)])
           (":ports web :health tcp" :health (:kind "tcp" :port "web"))
           (":ports 1 :health http /ok" :health (:kind "http" :port "0" :target "/ok"))
           (":health http 8080/ok" :health (:kind "http" :port "8080" :target "/ok"))
           (":health cmd test -e ready" :health (:kind "cmd" :target "test -e ready"))
           (":ensure it-keeps-running" :ensure "it-keeps-running")
           (":dockerimage redis" :container
            (:image "redis" :pull :json-false :containerizer "docker"))
           (":image r :dockerize t" :container
            (:image "r" :containerizer "docker" :pull :json-false))
           (":image r :containerizer mesos :network bridge :expose 6379 80:8080 :pull always"
            :container
            (:image "r" :containerizer "mesos" :network "bridge"
                    :expose [(:host 0 :container 6379) (:host 80 :container 8080)]
                    :pull t))
           (":image r :expose 80" :container
            (:image "r" :expose [(:host 0 :container 80)] :pull :json-false
                    :containerizer "docker" :network "bridge"))
           (":image r :privileged yes :entrypoint no :volumes /a:/b /c:/d:ro" :container
            (:image "r"
                    :volumes [(:host "/a" :container "/b" :readOnly :json-false)
                              (:host "/c" :container "/d" :readOnly t)]
                    :privileged t :pull :json-false :containerizer "docker"))))
      (ert-info (header)
        (should (equal value (plist-get (asked header) field)))))))

(ert-deftest ob-mesos-what-does-not-go-together-is-refused ()
  (pcase-dolist
      (`(,header ,body ,refusal)
       '((":health tcp" "true" ":health. wants a port")
         (":health tcp admin :ports web" "true" ":health. wants a port")
         (":health http 70000/" "true" ":health. wants a port")
         (":image r :entrypoint yes :files a.txt" " " ":files. is for a block.s body")
         (":image r :entrypoint yes :cmdline a b" " " ":cmdline. is for a block.s body")
         (":image r" " " "The block is empty")))
    (ob-mesos-tests--with (ob-mesos-tests--block header body)
      (ert-info (header)
        (should (string-match-p refusal
                                (error-message-string
                                 (should-error (org-babel-execute-src-block)
                                               :type 'user-error))))))))

(ert-deftest ob-mesos-an-images-own-command-is-for-an-empty-block ()
  (cl-flet ((entrypoint (body waits)
              (ob-mesos-tests--with
                  (ob-mesos-tests--block ":image r :entrypoint yes" body)
                (pcase-let ((`(,lang ,body ,params . ,_) (org-babel-get-src-block-info)))
                  (cl-letf (((symbol-function 'ob-mesos--must-wait-p) (lambda (_) waits)))
                    (let ((block (ob-mesos-task-block
                                  (ob-mesos--task lang body params nil nil))))
                      (list (plist-get (plist-get block :container) :entrypoint)
                            (plist-get block :body)
                            (plist-get block :bodyLater))))))))
    (should (equal '(t nil nil) (entrypoint " " nil)))
    (should (equal '(:json-false "true" nil) (entrypoint "true" nil)))
    ;; What waits tells of its image's own command only when it can run.
    (should (equal '(:json-false nil t) (entrypoint " " t)))))

(ert-deftest ob-mesos-ports-are-given-shown-and-visited ()
  (ob-mesos-tests--with
      (ob-mesos-tests--block ":ports web admin" "echo $PORT0 $PORT_WEB $PORT_ADMIN; sleep 600")
    (org-babel-execute-src-block)
    (let ((task (car (ob-mesos--running))) visited)
      (ob-mesos-tests--wait
       (lambda () (string-match "\\`\\([0-9]+\\) \\1 \\([0-9]+\\)"
                                (ob-mesos-task-tail task))))
      (let ((address (concat (plist-get (ob-mesos-task-data task) :hostname) ":"
                             (car (split-string (ob-mesos-task-tail task))))))
        (ob-mesos--show task)
        (should (string-match-p
                 (format "RUNNING since [0-9:]+ at %s, .*:[0-9]+$" (regexp-quote address))
                 (ob-mesos-tests--results)))
        (cl-letf (((symbol-function 'browse-url)
                   (lambda (url &rest _) (setq visited url)))
                  ((symbol-function 'completing-read)
                   (lambda (_prompt all &rest _) (car all))))
          (goto-char (point-min))
          (ob-mesos-browse-port)
          (should (equal visited (concat "http://" address)))
          (should (string-match-p "its cluster is the embedded one"
                                  (error-message-string
                                   (should-error (ob-mesos-open-ui) :type 'user-error))))))
      (ob-mesos-kill)
      (ob-mesos-tests--settle))))

(ert-deftest ob-mesos-files-are-fetched-by-the-agent ()
  (let* ((directory (make-temp-file "ob-mesos" t))
         (tool (expand-file-name "tool" directory)))
    (with-temp-file tool (insert "#!/bin/sh\necho used\n"))
    (should (equal ": used\n"
                   (ob-mesos-tests--run
                    (format ":uris %s+executable+as=bin/mine" tool) "./bin/mine")))
    (should (string-match-p "Failed to fetch /no/such: there is no such file"
                            (ob-mesos-tests--run ":uris /no/such" "true")))))

(ert-deftest ob-mesos-nobody-but-us-runs-on-the-embedded-cluster ()
  (should (equal ": hi\n" (ob-mesos-tests--run (format ":user %s" (user-login-name))
                                               "echo hi")))
  (should (string-match-p "ERROR: The task wants to run as somebody-else"
                          (ob-mesos-tests--run ":user somebody-else" "echo hi"))))

(ert-deftest ob-mesos-a-container-wants-an-engine ()
  (let ((process-environment (cons (concat "PATH=" (make-temp-file "ob-mesos" t))
                                   process-environment))
        (ob-mesos-java (executable-find ob-mesos-java))
        (ob-mesos--servers nil))
    (should (string-match-p "ERROR: The task wants a container.* neither podman nor docker"
                            (ob-mesos-tests--run ":image redis" "true")))
    (ob-mesos--disconnect (ob-mesos--server))))

(ert-deftest ob-mesos-what-fits-nowhere-says-why-and-waits ()
  (ob-mesos-tests--with (ob-mesos-tests--block ":constraints rack:IS:a" "true")
    (org-babel-execute-src-block)
    (let ((task (car (ob-mesos--running))))
      (ob-mesos-tests--wait
       (lambda () (string-match-p "fits on no agent: .*: has no rack"
                                  (or (plist-get (ob-mesos-task-data task) :message) ""))))
      (should (equal "QUEUED" (ob-mesos-task-state task)))
      (ob-mesos-kill)
      (ob-mesos-tests--settle))))

(ert-deftest ob-mesos-a-secret-is-used-and-written-down-nowhere ()
  (let* ((netrc (make-temp-file "netrc"))
         (auth-sources (list netrc))
         (state (cadr (member "--state-dir" ob-mesos-server-arguments))))
    (write-region "machine vault.invalid login me password hush-hush-7\n" nil netrc)
    (auth-source-forget-all-cached)
    (ob-mesos-tests--with
        (ob-mesos-tests--block ":secret TOKEN=me@vault.invalid"
                               "test ${#TOKEN} = 11 && echo known; sleep 2")
      (org-babel-execute-src-block)
      (let ((task (car (ob-mesos--running))))
        (ob-mesos-tests--wait (lambda () (equal "known" (ob-mesos-task-tail task))))
        (should-not (string-search "hush-hush-7" (buffer-string)))
        (should-not (string-search "hush-hush-7" (format "%S" (ob-mesos-task-data task))))
        (should (equal "" (shell-command-to-string
                           (format "grep -rl hush-hush-[7] %s; \
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -x hush-hush-[7]"
                                   state)))))
      (ob-mesos-tests--settle))
    (delete-file netrc)))

(ert-deftest ob-mesos-secrets-are-told-again-to-another-server-by-another-emacs ()
  (let* ((netrc (make-temp-file "netrc"))
         (auth-sources (list netrc))
         (server (ob-mesos--server)))
    (write-region "machine vault.invalid login me password hush-hush-8\n" nil netrc)
    (auth-source-forget-all-cached)
    (ob-mesos-tests--with
        (ob-mesos-tests--block ":secret TOKEN=vault.invalid :agent nowhere.example" "true")
      (org-babel-execute-src-block)
      (cl-flet ((settle ()
                  (ob-mesos-tests--wait
                   (lambda ()
                     (let ((task (car (ob-mesos--running))))
                       (and task
                            (string-suffix-p
                             "wants IS nowhere.example"
                             (or (plist-get (ob-mesos-task-data task) :message)
                                 ""))))))))
        (settle)
        (setf (ob-mesos-task-data (car (ob-mesos--running))) nil)
        (signal-process (jsonrpc--process (ob-mesos--server-connection server)) 9)
        (settle)
        (let ((process (jsonrpc--process (ob-mesos--server-connection server))))
          (ob-mesos--disconnect server)
          (ob-mesos-tests--wait (lambda () (not (process-live-p process)))))
        (clrhash ob-mesos--tasks)
        (ob-mesos-reconnect)
        (settle))
      (ob-mesos-kill)
      (ob-mesos-tests--settle))
    (delete-file netrc)))

(ert-deftest ob-mesos-header-arguments-are-completed ()
  (ob-mesos-tests--with "#+begin_src mesos :cp\necho :cp\n#+end_src\n\ntext\n"
    (end-of-line)
    (pcase-let ((`(,beg ,end ,names . ,_) (ob-mesos-completion-at-point)))
      (should (equal (buffer-substring beg end) ":cp"))
      (should (equal (all-completions ":cp" names) '(":cpus" ":cpu"))))
    (forward-line 1)
    (end-of-line)
    (should-not (ob-mesos-completion-at-point))
    (should (memq #'ob-mesos-completion-at-point completion-at-point-functions))
    ;; In the body.
    (ob-mesos-insert-header-args "mem" "64")
    (goto-char (point-min))
    (should (looking-at-p "#\\+begin_src mesos :cp :mem 64\necho :cp\n"))
    (goto-char (point-max))
    (should-error (ob-mesos-insert-header-args "mem" "64") :type 'user-error)))

(ert-deftest ob-mesos-an-empty-block-is-refused ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "  ")
    (should-error (org-babel-execute-src-block) :type 'user-error)))

(ert-deftest ob-mesos-sizes-have-units ()
  (should (= 2048 (ob-mesos--size "mem" "2G")))
  (should (= 512 (ob-mesos--size "mem" "512M")))
  (should (= 64 (ob-mesos--size "mem" 64))))

(ert-deftest ob-mesos-the-readme-has-every-header-argument-and-no-other ()
  (with-temp-buffer
    (insert-file-contents (expand-file-name "../README.org" ob-mesos--directory))
    (goto-char (point-min))
    (search-forward "* Header arguments")
    (let (rows)
      (while (re-search-forward "^| =:\\([a-z-]+\\)= +| \\(.*?\\) +|$" nil t)
        (push (cons (intern (match-string 1)) (match-string 2)) rows))
      (should (equal (nreverse rows) ob-mesos--header-arguments)))))

;; The messages of the table are those of the program.
(ert-deftest ob-mesos-the-readme-explains-messages-that-there-are ()
  (let ((sources
         (with-temp-buffer
           (dolist (file (append (directory-files ob-mesos--directory t "\\.el\\'")
                                 (directory-files-recursively
                                  (expand-file-name "../server/src/main" ob-mesos--directory)
                                  "\\.java\\'")))
             (insert-file-contents file))
           (buffer-string)))
        (count 0))
    (with-temp-buffer
      (insert-file-contents (expand-file-name "../README.org" ob-mesos--directory))
      (goto-char (point-min))
      (search-forward "* Troubleshooting")
      (narrow-to-region (point) (progn (re-search-forward "^\\* ") (point)))
      (goto-char (point-min))
      (while (re-search-forward "^| \\(=.*?\\) +|" nil t)
        (let ((cell (match-string 1)) (start 0))
          (while (string-match "=\\([^=]+\\)=" cell start)
            (setq start (match-end 0)
                  count (1+ count))
            (ert-info (cell)
              (should (string-search (match-string 1 cell) sources)))))))
    (should (> count 10))))

(ert-deftest ob-mesos-a-secret-without-a-host-is-not-asked-for-its-value ()
  (should-error (ob-mesos--secrets "secret" "TOKEN") :type 'user-error)
  (should (string-search "NAME=HOST"
                         (condition-case err (ob-mesos--secrets "secret" "TOKEN")
                           (user-error (error-message-string err))))))

(provide 'ob-mesos-args-tests)
;;; ob-mesos-args-tests.el ends here
