package evidence

// readmeText is README.txt of a bundle: how to check it without this program.
const readmeText = `本文件夹是一次人脸分析核查的证据包（BagIt 格式，RFC 8493）。不用本程序也可以核对：
This folder is the evidence bundle of one audit of face analytics (a BagIt bag, RFC 8493). To check it without
the program that wrote it, run in this folder:

  sha256sum -c manifest-sha256.txt          (macOS: shasum -a 256 -c manifest-sha256.txt)
  sha256sum -c tagmanifest-sha256.txt
  sha256sum manifest-sha256.txt             应与 manifest.json 所载一致 / must be what manifest.json says

国密 SM3 / the same with SM3, one file at a time, compared with manifest-sm3.txt:

  openssl dgst -sm3 data/report.json

Windows (PowerShell):

  Get-FileHash -Algorithm SHA256 data\report.json

签名（如有）/ signature, where there is one (signers: a file with the signer's name and public key):

  ssh-keygen -Y verify -f signers -I NAME -n mingshi-evidence@v1 -s signatures/KEY.sshsig < manifest.json

data/transcript.warc.gz   与设备的全部往来（WARC 1.1，已脱敏）/ every exchange, redacted before it was stored (zcat reads it)
data/redactions.jsonl     脱敏记录：只有种类和次数 / what was redacted: kinds and counts, never the content
data/journal.jsonl        操作日志：每行含上一行的 SHA-256 / journal: each line holds the SHA-256 of the line before it
data/report.json          全部结果 / the whole result
data/site.yaml, data/packs  原始输入 / the exact inputs

本证据包不含人脸图像、人脸模板、任何人的属性值或登录凭据。照片等附件（data/blobs）由检查人员提供。
The bundle holds no face pictures, no templates, no person's attribute values and no credentials. Photographs and
other attachments (data/blobs) were given by the inspector.
`
