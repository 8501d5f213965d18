//! Our side of an SFTP channel without SSH around it, for the fuzz targets: everything that we ask of a server, asked of
//! whoever answers on a stream. Built for the `tests` member alone.

use tokio::io::{AsyncRead, AsyncWrite};

use super::channel::{self, Sftp};
use super::folders::Folders;
use super::pace::Direction;
use super::pull;
use crate::transport::link::{LinkError, WireName};

/// Told each piece that is fetched: its offset, its bytes.
pub type Fetched<'a> = &'a mut (dyn FnMut(u64, &[u8]) -> std::io::Result<()> + Send);

/// Asks for what waits, fetches the first of it, asks how much is there of `name`, hands it over, says that it has what it
/// fetched, and waits; the first error ends it.
///
/// # Errors
/// What a link makes of the answers.
pub async fn talk<S>(stream: S, name: WireName, fetched: Fetched<'_>) -> Result<(), LinkError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let sftp: Sftp = channel::start(stream, Folders::of_a_daemon()).await?;
    let offers = pull::offers(&sftp).await?;
    if let Some(offer) = offers.first() {
        pull::get((&sftp, &Direction::paces()), offer.name, 0, fetched).await?;
    }
    sftp.prefix(name).await?;
    sftp.hand_over(name).await?;
    if let Some(offer) = offers.first() {
        sftp.taken(offer.name).await?;
    }
    sftp.wait(0).await
}
